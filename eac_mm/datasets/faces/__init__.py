"""Data sets of face images in files."""

from .affectnet import AffectNet
from .base import FaceDataset
from .csv import CSVFaces
from .ferplus import FERPlus
from .folder import FolderFaces
from .rafdb import RAFDB

__all__ = ['AffectNet', 'CSVFaces', 'FERPlus', 'FaceDataset', 'FolderFaces', 'RAFDB']
