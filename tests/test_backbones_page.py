"""The settings of docs/backbones.md train, and what they are for is needed."""

import importlib.util
import re
from pathlib import Path

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from eac_mm.engine.rehearsal import rehearse

PAGE = Path(__file__).parents[1] / 'docs' / 'backbones.md'
ROW = re.compile(r'\| ([\w ]+) \| `(dict.+?)` \| `(.+?)` \| (\d+)', re.MULTILINE)
GAP = dict(type='GlobalAveragePooling')
# The families that the page must have.
FAMILIES = {
    'MobileNetV2',
    'MobileNetV3',
    'ResNet',
    'ResNeXt',
    'EfficientNet',
    'VGG with BN',
    'HRNet',
    'ConvNeXt',
    'RegNet',
    'DenseNet',
    'ShuffleNetV1',
    'ShuffleNetV2',
    'Swin',
    'ViT',
    'timm',
}
SETTINGS = {
    name: (eval(backbone), eval(neck), int(channels))
    for name, backbone, neck, channels in ROW.findall(PAGE.read_text())
}


def train(kind, head, backbone, neck, channels):
    """Rehearse a step on two images of 64 px, or on their pairs."""
    model = MODELS.build(
        dict(
            type=kind,
            backbone=backbone,
            neck=neck,
            head=dict(type=head, num_classes=7, in_channels=channels),
            data_preprocessor=dict(type='EACDataPreprocessor'),
        )
    )
    generator = torch.Generator().manual_seed(0)
    views = torch.randint(0, 256, (2, 2, 3, 64, 64), generator=generator).byte()
    samples = [DataSample().set_gt_label(label) for label in (0, 6)]
    inputs = list(views) if kind == 'EACClassifier' else views[0]
    rehearse(model, dict(inputs=inputs, data_samples=samples))


def test_every_family_has_a_row():
    assert set(SETTINGS) == FAMILIES


@pytest.mark.parametrize('name', sorted(FAMILIES))
def test_the_settings_train(name):
    if name == 'timm' and importlib.util.find_spec('timm') is None:
        pytest.skip('timm is not installed')
    train('EACClassifier', 'EACHead', *SETTINGS[name])
    train('ImageClassifier', 'LinearClsHead', *SETTINGS[name])


@pytest.mark.parametrize(
    ('name', 'change', 'fix'),
    [
        ('ConvNeXt', dict(gap_before_final_norm=True), 'gap_before_final_norm=False'),
        ('ViT', dict(out_type='cls_token'), 'out_type=featmap'),
        ('VGG with BN', dict(num_classes=7), 'leave num_classes out of model.backbone'),
        ('Swin', dict(pad_small_map=False), 'set `pad_small_map=True`'),
        ('ResNet', dict(depth=50), 'model.head.in_channels=2048'),
    ],
)
def test_without_its_setting_the_fix_is_named(name, change, fix):
    backbone, neck, channels = SETTINGS[name]
    with pytest.raises(ValueError, match=re.escape(fix)):
        train('EACClassifier', 'EACHead', {**backbone, **change}, neck, channels)
