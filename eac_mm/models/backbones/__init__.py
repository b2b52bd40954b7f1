"""Backbones that MMPretrain does not have."""

from .caffe_resnet import CaffeResNet

__all__ = ['CaffeResNet']
