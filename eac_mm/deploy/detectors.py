"""Build a face detector from its name."""

from pathlib import Path

from .dlib_eyes import DlibEyes
from .faces import Detector
from .mtcnn import MTCNN
from .yunet import YuNet

NAMES = ('mtcnn', 'dlib', 'none')


def build_detector(name: str | Path) -> Detector | None:
    """Return a detector.

    Args:
        name: ``'mtcnn'``; ``'dlib'``: MTCNN with dlib's eyes; the path of YuNet's
            ``.onnx`` file; or ``'none'`` for pictures that are aligned faces already.

    Returns:
        The detector; None for ``'none'``.

    Raises:
        ValueError: For another name.
        FileNotFoundError: If what it needs is not installed.
        ImportError: If dlib is not installed.
    """
    if name == 'none':
        return None
    if name == 'mtcnn':
        return MTCNN()
    if name == 'dlib':
        return DlibEyes(MTCNN())
    if Path(name).suffix == '.onnx':
        return YuNet(name)
    raise ValueError(
        f'detector={str(name)!r} is unknown. Fix: choose one of {NAMES}, or the path '
        "of YuNet's .onnx file."
    )
