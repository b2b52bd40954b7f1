import pytest
import torch
from mmpretrain.models import ImageClassifier
from torch.nn import functional as F

from eac_mm.models.attention import class_attention


def network(**head):
    return ImageClassifier(
        backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
        neck=head.pop('neck', dict(type='GlobalAveragePooling')),
        head=dict(type='LinearClsHead', num_classes=5, in_channels=64, **head),
    ).eval()


def test_the_mean_of_a_map_is_the_logit_without_bias():
    model, images = network(), torch.randn(2, 3, 64, 96)
    maps = class_attention(model, images)
    assert maps.shape == (2, 5, 2, 3)
    with torch.no_grad():
        logits = model(images, mode='tensor')
    assert torch.allclose(maps.mean((2, 3)) + model.head.fc.bias, logits, atol=1e-5)


def test_against_a_convolution():
    model, images = network(), torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        maps = model.backbone(images)[-1]
        expected = F.conv2d(maps, model.head.fc.weight[:, :, None, None])
    assert torch.allclose(class_attention(model, images), expected, atol=1e-5)


def test_other_networks():
    model = network(neck=None)
    model.head = torch.nn.Identity()
    with pytest.raises(ValueError, match=r'this is Identity.*Fix: predict without'):
        class_attention(model, torch.randn(1, 3, 32, 32))
