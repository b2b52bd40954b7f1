"""Two tiny networks, for tests of what is made of their logits."""

import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

CLASSES = 3


@MODELS.register_module()
class PixelBackbone(nn.Module):
    """Four numbers of an image of 2 x 2, batch normalised."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(4, 4), nn.BatchNorm1d(4)

    def forward(self, images):
        return (self.norm(self.linear(images.flatten(1))),)


PARTS = dict(
    backbone=dict(type='PixelBackbone'),
    neck=None,
    head=dict(type='LinearClsHead', num_classes=CLASSES, in_channels=4),
    data_preprocessor=dict(type='EACDataPreprocessor'),
)


def build(cls, seed=0, **kwargs):
    torch.manual_seed(seed)
    return cls(**PARTS, **kwargs)


def images_of(size, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, 1, 2, 2, generator=generator)


def samples_of(labels, indices=None):
    indices = indices or range(len(labels))
    return [
        DataSample(metainfo=dict(sample_idx=index)).set_gt_label(label)
        for index, label in zip(indices, labels, strict=True)
    ]


def say(monkeypatch, model, *logits):
    """Have the networks give these logits, whatever they see."""
    monkeypatch.setattr(model, 'logits_of', lambda number, images: logits[number])
