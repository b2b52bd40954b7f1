"""Files of what a network said of its training samples, epoch by epoch.

A run's ``records/epoch_007.npz`` has the logits of epoch 7 and, if the method has
attention maps, their disagreement; ``records/samples.npz`` has the labels, once. Row i
is the sample of ``sample_idx`` i in both. All are plain NumPy files.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .files import write_atomically

FOLDER = 'records'
SAMPLES = 'samples.npz'
EPOCH_NAME = re.compile(r'epoch_(\d+)\.npz')


def epoch_path(folder: str | Path, epoch: int) -> Path:
    """Return the file of an epoch, from 1, in a run's folder."""
    return Path(folder, FOLDER, f'epoch_{epoch:03d}.npz')


def samples_path(folder: str | Path) -> Path:
    """Return the file of the samples in a run's folder."""
    return Path(folder, FOLDER, SAMPLES)


def list_epochs(folder: str | Path) -> dict[int, Path]:
    """List the epochs with a file in a run's folder, in order."""
    found = {
        int(match[1]): path
        for path in Path(folder, FOLDER).glob('epoch_*.npz')
        if (match := EPOCH_NAME.fullmatch(path.name))
    }
    return dict(sorted(found.items()))


def record_files(folder: str | Path) -> list[Path]:
    """List all files of records in a run's folder."""
    samples = samples_path(folder)
    return [*list_epochs(folder).values(), *([samples] if samples.is_file() else [])]


def write_arrays(
    path: Path, arrays: Mapping[str, np.ndarray | None], compress: bool = False
) -> None:
    """Write arrays to an npz file, atomically; those that are None are left out.

    Equal arrays give equal bytes.
    """
    kept = {name: array for name, array in arrays.items() if array is not None}
    buffer = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(buffer, **kept)
    write_atomically(path, buffer.getvalue())


@dataclass(frozen=True)
class EpochRecord:
    """What the network said of the training samples during one epoch.

    Samples that the epoch did not serve are NaN.

    Attributes:
        epoch: Number of the epoch, from 1.
        logits: float16 (views, samples, classes).
        disagreement: Disagreement of the two views' attention maps, float32
            (samples,); None if the method has none.
    """

    epoch: int
    logits: np.ndarray
    disagreement: np.ndarray | None


@dataclass(frozen=True)
class TrainingRecords:
    """The records of a run; an epoch is read when it is asked for.

    ``records[0]`` is the first epoch and ``records[-1]`` the last one; a loop visits
    all of them in order.

    Attributes:
        folder: The run's folder.
        noisy_labels: Labels trained on, int64 (samples,).
        clean_labels: Clean labels, int64 (samples,); None if they are not known.
        classes: Names of the classes, in the order of the labels and logits.
        paths: Path of each image, as the data set gave it; None if it gives none.
    """

    folder: Path
    noisy_labels: np.ndarray
    clean_labels: np.ndarray | None
    classes: tuple[str, ...]
    paths: tuple[str, ...] | None
    _files: tuple[Path, ...]
    _step_passes: float | None = None

    @property
    def path(self) -> Path:
        """Where the records lie: the run's folder."""
        return self.folder

    @property
    def passes(self) -> int:
        """How often an image went through a backbone, in the mean, rounded.

        That is the number of epochs times the passes of a step, which the method tells.
        Without that, it is the views that the first epoch recorded.
        """
        step = self._step_passes
        if step is None:
            step = np.isfinite(self[0].logits).all(-1).mean(1).sum()
        return round(len(self) * step)

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self._files)

    def __getitem__(self, position: int) -> EpochRecord:
        """Read an epoch, counted from 0.

        Raises:
            ValueError: If its file is damaged, or of other samples.
        """
        epoch = range(1, len(self) + 1)[position]
        path = self._files[epoch - 1]
        arrays = read_arrays(path)
        logits, disagreement = arrays.get('logits'), arrays.get('disagreement')
        shape = None if logits is None else logits.shape
        if shape is None or shape[1:] != (len(self.noisy_labels), len(self.classes)):
            raise ValueError(
                f'{path} has logits of shape {shape}, and {SAMPLES} lists '
                f'{len(self.noisy_labels)} samples of {len(self.classes)} classes. '
                'Fix: keep the records of each run in its own folder.'
            )
        return EpochRecord(epoch, logits, disagreement)

    def __iter__(self) -> Iterator[EpochRecord]:
        """Visit the epochs in order."""
        return (self[position] for position in range(len(self)))


def read_records(folder: str | Path) -> TrainingRecords:
    """Open the records of a run.

    Args:
        folder: The run's folder (``--work-dir``).

    Raises:
        FileNotFoundError: If the run was not recorded, or has ended no epoch yet.
        ValueError: If epochs are missing, or a file is damaged.
    """
    files, samples = list_epochs(folder), samples_path(folder)
    if not files:
        raise FileNotFoundError(
            f'{Path(folder, FOLDER)} holds no record of an epoch. Fix: name the folder '
            'of a run that was trained with --cfg-options '
            'default_hooks.recorder.type=TrainingRecorderHook, once its first epoch '
            'is over.'
        )
    missing = [epoch for epoch in range(1, max(files)) if epoch not in files]
    if missing:
        raise ValueError(
            f'{Path(folder, FOLDER)} ends with epoch {max(files)} and lacks '
            f'{len(missing)} before it (first: {missing[0]}). Fix: put these files '
            'back, or train anew with the recorder from the first epoch on.'
        )
    if not samples.is_file():
        raise FileNotFoundError(
            f'{samples} is missing, which says what the samples are. Fix: put it back; '
            'resuming the run for one more epoch writes it again.'
        )
    arrays = read_arrays(samples)
    paths = arrays.get('paths')
    return TrainingRecords(
        folder=Path(folder),
        noisy_labels=arrays['noisy_labels'],
        clean_labels=arrays.get('clean_labels'),
        classes=tuple(arrays['classes'].tolist()),
        paths=None if paths is None else tuple(paths.tolist()),
        _files=tuple(files.values()),
        _step_passes=float(arrays['passes']) if 'passes' in arrays else None,
    )


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of a file, checksums included.

    Raises:
        ValueError: If it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (zipfile.BadZipFile, EOFError, ValueError, OSError) as error:
        raise ValueError(
            f'{path} cannot be read ({error}). Fix: put back a whole copy, or train '
            'anew.'
        ) from error
