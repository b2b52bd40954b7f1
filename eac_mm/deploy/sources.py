"""What a user names to predict: pictures, folders, patterns, videos, cameras."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from eac_mm.datasets.listing import LeftOutFiles, find_images
from eac_mm.utils.image_formats import UnreadableImage

VIDEOS = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv')
RATE = 25.0  # frames a second of a video or camera that does not say


@dataclass(frozen=True)
class Source:
    """A picture, a video or a camera.

    Attributes:
        name: What the user called it.
        target: Path of the file, or number of the camera.
        kind: ``'picture'``, ``'video'`` or ``'camera'``.
    """

    name: str
    target: Path | int
    kind: str


def list_sources(words: Sequence[str]) -> tuple[list[Source], str]:
    """Find what the words of a command line name.

    Args:
        words: Each a file, a folder (its pictures, and those of the folders below), a
            pattern such as ``'photos/*.jpg'``, or the number of a camera. A file with
            an ending of :data:`VIDEOS` is a video, any other one a picture. Files need
            not exist: reading them says so.

    Returns:
        The sources in order, and what of the folders is left out and why, as text.

    Raises:
        ValueError: If nothing is named: empty folders, patterns without a match.
    """
    sources, left_out = [], []
    for word in words:
        path = Path(word)
        if word.isdecimal() and not path.exists():
            sources.append(Source(f'camera {word}', int(word), 'camera'))
        elif path.is_dir():
            skipped = LeftOutFiles(path)
            sources += map(_of_file, find_images(path, skipped))
            left_out += [f'{path}: {skipped}'] if skipped.counts else []
        elif glob.has_magic(word) and not path.exists():
            found = map(Path, sorted(glob.glob(word, recursive=True)))  # noqa: PTH207
            sources += [_of_file(each) for each in found if each.is_file()]
        else:
            sources.append(_of_file(path))
    if not sources:
        raise ValueError(
            f'{", ".join(words)}: no picture is there (seen from {Path.cwd()}). Fix: '
            'name a picture, a folder, a pattern, a video or the number of a camera.'
        )
    return sources, '\n'.join(left_out)


def _of_file(path: Path) -> Source:
    kind = 'video' if path.suffix.lower() in VIDEOS else 'picture'
    return Source(str(path), path, kind)


class Frames:
    """The frames of a video or camera, in order.

    Attributes:
        rate: Frames a second.
        total: Number of frames as the video's header has it; None if it is unknown.

    Raises:
        UnreadableImage: If the video cannot be read, or there is no such camera; while
            it is read, if it has no frame.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        camera = source.kind == 'camera'
        if not camera and not Path(source.target).is_file():
            raise UnreadableImage('the file does not exist')
        self.capture = cv2.VideoCapture(source.target if camera else str(source.target))
        if not self.capture.isOpened():
            raise UnreadableImage(
                f'OpenCV finds no {source.name}'
                if camera
                else 'OpenCV cannot read it as a video'
            )
        rate = self.capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 0 < rate < 1000 else RATE
        total = int(self.capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.total = total if total > 0 and not camera else None

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read frames, uint8 (H, W, 3) in BGR order, until there are no more."""
        count = 0
        try:
            while True:
                good, frame = self.capture.read()
                if not good:
                    break
                count += 1
                yield frame
        finally:
            self.capture.release()
        if not count:
            raise UnreadableImage('it has no frame that OpenCV can read')
