"""Classifiers that MMPretrain does not have."""

from .dmue_classifier import DMUEClassifier
from .eac_classifier import EACClassifier
from .ktn_student import KTNStudent
from .ktn_teacher import KTNTeacher
from .ran_classifier import RANClassifier

__all__ = [
    'DMUEClassifier',
    'EACClassifier',
    'KTNStudent',
    'KTNTeacher',
    'RANClassifier',
]
