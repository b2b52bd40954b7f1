"""Classifiers that MMPretrain does not have."""

from .co_teaching import CoTeaching
from .divide_mix import DivideMix
from .dmue_classifier import DMUEClassifier
from .eac_classifier import EACClassifier
from .ktn_student import KTNStudent
from .ktn_teacher import KTNTeacher
from .ran_classifier import RANClassifier

__all__ = [
    'CoTeaching',
    'DMUEClassifier',
    'DivideMix',
    'EACClassifier',
    'KTNStudent',
    'KTNTeacher',
    'RANClassifier',
]
