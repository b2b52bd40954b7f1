"""Write predictions to files: CSV, JSON lines, annotated pictures and videos."""

import csv
import json
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from mmpretrain.structures import DataSample

from eac_mm.utils.plain import to_plain

POINTS = ('left_eye', 'right_eye', 'nose', 'mouth_left', 'mouth_right')
SIDES = ('left', 'top', 'right', 'bottom')
CSV, LINES, DRAWN = 'predictions.csv', 'predictions.jsonl', 'annotated'


class PredictionFiles:
    """The files of one prediction, in a folder.

    ``predictions.csv`` and ``predictions.jsonl`` have a row for each face, and for each
    picture without one; ``annotated`` has the pictures and videos. Rows are on the disk
    as soon as they are written.

    Args:
        folder: The folder, made if it is not there.
        classes: Names of the classes.
        overwrite: Replace an earlier prediction in the folder. Defaults to False.

    Raises:
        ValueError: If the folder holds a prediction and ``overwrite`` is False.
    """

    def __init__(
        self, folder: str | Path, classes: tuple[str, ...], overwrite: bool = False
    ) -> None:
        self.folder, self.classes = Path(folder), classes
        if (self.folder / CSV).exists() and not overwrite:
            raise ValueError(
                f'{self.folder} holds a prediction. Fix: another --out, or --overwrite '
                'to replace it.'
            )
        (self.folder / DRAWN).mkdir(parents=True, exist_ok=True)
        self._csv = (self.folder / CSV).open('w', newline='', encoding='utf-8')
        self._lines = (self.folder / LINES).open('w', encoding='utf-8')
        self._table = csv.DictWriter(self._csv, fieldnames=columns(classes))
        self._table.writeheader()
        self._video: cv2.VideoWriter | None = None
        self._drawn = 0

    def add(self, sample: DataSample) -> None:
        """Write the row of a sample."""
        record = to_record(sample, self.classes)
        self._lines.write(json.dumps(record) + '\n')
        self._table.writerow(to_row(record))
        self._csv.flush()
        self._lines.flush()

    def draw(self, name: str, image: np.ndarray) -> Path:
        """Write an annotated picture, and return its path."""
        path = self._next(name, '.jpg')
        cv2.imencode('.jpg', image)[1].tofile(path)
        return path

    def start_video(self, name: str, rate: float) -> None:
        """Begin an annotated video, of so many frames a second."""
        self._video_path, self._rate = self._next(name, '.mp4'), rate

    def draw_frame(self, image: np.ndarray) -> None:
        """Add a frame to the annotated video.

        Raises:
            OSError: If OpenCV cannot write it.
        """
        if self._video is None:
            code, size = cv2.VideoWriter.fourcc(*'mp4v'), image.shape[1::-1]
            path = str(self._video_path)
            self._video = cv2.VideoWriter(path, code, self._rate, size)
            if not self._video.isOpened():
                raise OSError(f'{path}: OpenCV cannot write this video.')
        self._video.write(image)

    def end_video(self) -> None:
        """End the annotated video."""
        if self._video is not None:
            self._video.release()
        self._video = None

    def _next(self, name: str, ending: str) -> Path:
        # A number, for files of the same name in several folders.
        self._drawn += 1
        stem = Path(name).stem.replace(' ', '_')
        return self.folder / DRAWN / f'{self._drawn:04d}_{stem}{ending}'

    def __enter__(self) -> 'PredictionFiles':
        """Return the files."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        self.end_video()
        self._csv.close()
        self._lines.close()


def columns(classes: tuple[str, ...]) -> list[str]:
    """Return the columns of the CSV file."""
    return [
        *('source', 'frame', 'face', 'status', 'reason', 'expression', 'confidence'),
        *(f'p_{name}' for name in classes),
        *SIDES,
        *('score', 'roll'),
        *(f'{name}_{axis}' for name in POINTS for axis in 'xy'),
    ]


def to_record(sample: DataSample, classes: tuple[str, ...]) -> dict[str, Any]:
    """Return plain values of a sample: a line of the JSON lines file."""
    known = ('source', 'frame', 'face', 'status', 'reason')
    record = {key: sample.get(key) for key in known}
    if 'box' not in sample:
        return record
    score = [round(value, 6) for value in sample.pred_score.tolist()]
    record.update(
        expression=sample.expression,
        confidence=max(score),
        probabilities=dict(zip(classes, score, strict=True)),
        box=np.round(sample.box, 2),
        points=dict(zip(POINTS, np.round(sample.points, 2), strict=True)),
        score=round(sample.score, 4),
        roll=round(sample.roll, 2),
        matrix=np.round(sample.matrix, 5),
    )
    if 'attention' in sample:
        record['attention'] = np.round(sample.attention.numpy(), 4)
    return to_plain(record)


def to_row(record: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the CSV file for a line of the JSON lines file."""
    row = {key: value for key, value in record.items() if not hasattr(value, '__len__')}
    row |= {k: v for k, v in record.items() if isinstance(v, str)}
    probabilities = record.get('probabilities', {})
    row |= {f'p_{name}': value for name, value in probabilities.items()}
    row |= dict(zip(SIDES, record.get('box', ()), strict=False))
    for name, (x, y) in record.get('points', {}).items():
        row |= {f'{name}_x': x, f'{name}_y': y}
    return row
