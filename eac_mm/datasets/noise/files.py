"""Noise files: noisy labels, and a hash of the clean labels they belong to."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from eac_mm.utils.files import write_atomically

from .model import Transition, number_classes

MAGIC = '# eac_mm label noise 1'
REWRITE = 'Fix: write it again with tools/make_noise.py.'


def hash_labels(labels: np.ndarray, classes: Sequence[str]) -> str:
    """Return the SHA-256 of the labels' class names in order, not of their numbers."""
    names = '\n'.join(classes[label] for label in labels)
    return hashlib.sha256(names.encode()).hexdigest()


@dataclass(frozen=True)
class NoiseManifest:
    """Description of the noise in a noise file.

    Args:
        kind: That of the noise model, ``'file'`` for labels read from one,
            ``'relabelled'`` for those that a training has replaced, or ``'corrected'``
            for those of a label audit.
        rate: Rate asked for; 0 if anything else settles the labels.
        measured_rate: Share of labels that differ from the clean ones.
        seed: Seed of the draw.
        transition: Of asymmetric noise, as given; else None.
        classes: Class names in the order of the numbers used below.
        clean_counts: Clean labels per class.
        changed_counts: Changed labels per clean class.
        clean_sha256: :func:`hash_labels` of the clean labels.
        given_sha256: The same of the noisy labels.
        fitted_sha256: The same of the labels that an annotator was trained on, if these
            are the predictions of a network (``tools/cross_fit.py``); else None.
    """

    kind: str
    rate: float
    measured_rate: float
    seed: int
    transition: Transition | None
    classes: tuple[str, ...]
    clean_counts: tuple[int, ...]
    changed_counts: tuple[int, ...]
    clean_sha256: str
    given_sha256: str
    fitted_sha256: str | None = None

    @classmethod
    def describe(
        cls,
        clean: np.ndarray,
        given: np.ndarray,
        classes: Sequence[str],
        kind: str,
        rate: float,
        seed: int,
        transition: Transition | None = None,
        fitted: np.ndarray | None = None,
    ) -> 'NoiseManifest':
        """Describe the noisy labels ``given``, compared with the ``clean`` ones.

        ``fitted`` are the labels that a network was trained on, if it predicted
        ``given``.
        """
        changed = given != clean
        size = len(classes)
        return cls(
            kind=kind,
            rate=float(rate),
            measured_rate=round(float(changed.mean()), 6),
            seed=int(seed),
            transition=_as_json(transition),
            classes=tuple(classes),
            clean_counts=tuple(np.bincount(clean, minlength=size).tolist()),
            changed_counts=tuple(np.bincount(clean[changed], minlength=size).tolist()),
            clean_sha256=hash_labels(clean, classes),
            given_sha256=hash_labels(given, classes),
            fitted_sha256=None if fitted is None else hash_labels(fitted, classes),
        )


def _as_json(transition: Transition | None) -> Transition | None:
    """Return the transition as it is read back from JSON."""
    if transition is None:
        return None
    if isinstance(transition, Mapping):
        return dict(transition)
    return np.asarray(transition, dtype=float).tolist()


def write_noise_file(
    path: str | Path,
    manifest: NoiseManifest,
    given: np.ndarray,
    names: Sequence[str],
) -> None:
    """Write noisy labels, one a line: index, class name, sample name.

    The first line names the format, the second holds the manifest as JSON.
    The file is written atomically.

    Raises:
        ValueError: If :func:`number_classes` refuses a class name.
    """
    number_classes(manifest.classes)
    lines = [MAGIC, f'# {json.dumps(asdict(manifest))}']
    lines += [
        f'{index}\t{manifest.classes[label]}\t{" ".join(name.splitlines())}'
        for index, (label, name) in enumerate(zip(given, names, strict=True))
    ]
    write_atomically(path, ('\n'.join(lines) + '\n').encode())


def is_noise_file(path: str | Path) -> bool:
    """Tell whether a file was made by :func:`write_noise_file`, by its first line."""
    with Path(path).open(encoding='utf-8-sig', errors='replace') as file:
        return file.readline().rstrip('\n') == MAGIC


def read_noise_file(
    path: str | Path, clean: np.ndarray, classes: Sequence[str]
) -> tuple[NoiseManifest, np.ndarray]:
    """Read noisy labels, and check that they belong to these clean labels.

    Args:
        path: A file made by :func:`write_noise_file`.
        clean: Clean labels of the data set, shape (N,).
        classes: Its class names.

    Returns:
        The manifest, and the noisy labels, int64 (N,), as the data set numbers them.

    Raises:
        ValueError: For a malformed line (with its number), labels of another
            data set, or labels that were edited after they were written.
    """
    path = Path(path)
    # utf-8-sig drops the byte order mark of Windows editors. Bytes that are not
    # UTF-8 are replaced, and the checks below name their line.
    lines = path.read_text(encoding='utf-8-sig', errors='replace').splitlines()
    manifest = _read_manifest(path, lines)
    if manifest.clean_sha256 != hash_labels(clean, classes):
        raise ValueError(
            f'{path} was made for other clean labels: it describes '
            f'{sum(manifest.clean_counts)} samples of {manifest.classes}, the data '
            f'set has {len(clean)} of {tuple(classes)}, and the hashes of the labels '
            'differ. Fix: make a file for this data set with tools/make_noise.py.'
        )
    given = _read_given(path, lines, number_classes(classes))
    if len(given) != len(clean):
        raise ValueError(
            f'{path} has {len(given)} labels for {len(clean)} samples: it lost or '
            f'gained lines. {REWRITE}'
        )
    if manifest.given_sha256 != hash_labels(given, classes):
        raise ValueError(
            f'{path} was edited: its labels are not those that its manifest '
            f'describes. {REWRITE}'
        )
    return manifest, given


def _read_manifest(path: Path, lines: list[str]) -> NoiseManifest:
    try:
        fields = json.loads(lines[1].removeprefix('# '))
        for name in ('classes', 'clean_counts', 'changed_counts'):
            fields[name] = tuple(fields[name])
        manifest = NoiseManifest(**fields)
        sum(manifest.clean_counts)
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f'{path}:2: not a manifest ({type(error).__name__}: {error}). {REWRITE}'
        ) from None
    return manifest


def _read_given(path: Path, lines: list[str], numbers: dict[str, int]) -> np.ndarray:
    given = []
    for line_number, line in enumerate(lines[2:], start=3):
        parts = line.split('\t', 2)
        if len(parts) != 3 or parts[0] != str(len(given)) or parts[1] not in numbers:
            raise ValueError(
                f'{path}:{line_number}: {line!r}: expected the index {len(given)}, a '
                f'class of {tuple(numbers)} and the name of the sample, separated by '
                f'tabs. {REWRITE}'
            )
        given.append(numbers[parts[1]])
    return np.asarray(given, dtype=np.int64)
