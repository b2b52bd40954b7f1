"""Backbones that MMPretrain does not have."""

from .caffe_resnet import CaffeResNet
from .dlib_face_resnet import DlibFaceResNet

__all__ = ['CaffeResNet', 'DlibFaceResNet']
