"""From a picture to the face that a network takes, and to other runtimes."""

from .alignment import AlignedFace, FaceAligner, similarity
from .detectors import build_detector
from .faces import Detector, Face, choose
from .mtcnn import MTCNN
from .templates import TEMPLATES, Template, get_template, template_of
from .yunet import YuNet

__all__ = [
    'MTCNN',
    'TEMPLATES',
    'AlignedFace',
    'Detector',
    'Face',
    'FaceAligner',
    'Template',
    'YuNet',
    'build_detector',
    'choose',
    'get_template',
    'similarity',
    'template_of',
]
