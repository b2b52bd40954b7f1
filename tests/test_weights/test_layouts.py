import pytest
import torchvision
from mmpretrain.registry import MODELS

from eac_mm.weights.layouts import (
    detect,
    rename_eac,
    rename_mobilenet_v2,
    rename_resnet,
    resnet_depth,
)


@pytest.mark.parametrize(
    ('rename', 'key', 'expected'),
    [
        (rename_resnet, 'conv1.weight', 'backbone.conv1.weight'),
        (
            rename_resnet,
            'layer3.0.downsample.1.running_var',
            'backbone.layer3.0.downsample.1.running_var',
        ),
        (rename_resnet, 'fc.weight', None),
        (rename_resnet, 'layer5.0.conv1.weight', None),
        (rename_eac, 'features.0.weight', 'backbone.conv1.weight'),
        (rename_eac, 'features.1.running_mean', 'backbone.bn1.running_mean'),
        (rename_eac, 'features.4.1.bn2.bias', 'backbone.layer1.1.bn2.bias'),
        (
            rename_eac,
            'features.7.0.downsample.0.weight',
            'backbone.layer4.0.downsample.0.weight',
        ),
        (rename_eac, 'features.3.weight', None),
        (rename_eac, 'alpha.0.weight', None),
        (rename_eac, 'fc.bias', 'head.fc.bias'),
        (rename_mobilenet_v2, 'features.0.0.weight', 'backbone.conv1.conv.weight'),
        (rename_mobilenet_v2, 'features.18.1.bias', 'backbone.conv2.bn.bias'),
        (
            rename_mobilenet_v2,
            'features.1.conv.0.0.weight',
            'backbone.layer1.0.conv.0.conv.weight',
        ),
        (
            rename_mobilenet_v2,
            'features.1.conv.2.weight',
            'backbone.layer1.0.conv.1.bn.weight',
        ),
        (
            rename_mobilenet_v2,
            'features.3.conv.1.1.running_mean',
            'backbone.layer2.1.conv.1.bn.running_mean',
        ),
        (
            rename_mobilenet_v2,
            'features.17.conv.2.weight',
            'backbone.layer7.0.conv.2.conv.weight',
        ),
        (rename_mobilenet_v2, 'features.18.conv.2.weight', None),
        (rename_mobilenet_v2, 'features.2.conv.4.weight', None),
        (rename_mobilenet_v2, 'classifier.1.weight', None),
    ],
)
def test_one_key(rename, key, expected):
    assert rename(key) == expected


@pytest.mark.parametrize('depth', [18, 34, 50, 101, 152])
def test_depth(depth):
    keys = MODELS.build(dict(type='ResNet', depth=depth, base_channels=1)).state_dict()
    assert resnet_depth([f'backbone.{key}' for key in keys]) == depth


def test_no_known_depth():
    keys = [f'backbone.layer{s}.{b}.conv1.weight' for s in range(1, 5) for b in (0, 1)]
    assert resnet_depth(keys) == 18
    with pytest.raises(
        ValueError, match=r'\(2, 2, 2, 0\) basic blocks are not a ResNet'
    ):
        resnet_depth(keys[:6])
    with pytest.raises(
        ValueError, match=r'\(2, 2, 2, 2\) bottlenecks are not a ResNet'
    ):
        resnet_depth([*keys, 'backbone.layer1.0.conv3.weight'])


@pytest.mark.parametrize(
    ('shapes', 'numpy_pickle', 'kind'),
    [
        ({'conv1.weight': (64, 3, 7, 7), 'fc.weight': (1000, 2048)}, False, 'resnet'),
        ({'conv1.weight': (64, 3, 7, 7)}, False, 'resnet'),
        ({'conv1.weight': (64, 3, 7, 7), 'fc.weight': (8631, 2048)}, False, 'vggface2'),
        ({'conv1.weight': (64, 3, 7, 7)}, True, 'vggface2'),
        ({'layer1.0.bn1.weight': (64,)}, False, 'resnet'),
        ({'features.0.weight': (64, 3, 7, 7)}, False, 'eac'),
        ({'features.0.weight': (64, 3, 7, 7)}, True, 'eac'),
        ({'features.0.0.weight': (32, 3, 3, 3)}, False, 'mobilenetv2'),
    ],
)
def test_detect(shapes, numpy_pickle, kind):
    assert detect(shapes, numpy_pickle) == kind


def test_detect_nothing():
    with pytest.raises(ValueError, match=r"'backbone\.conv1\.weight'.*features\.0\.0"):
        detect({'backbone.conv1.weight': (64, 3, 7, 7)}, False)


def test_every_key_of_mobilenet_v2_has_its_place():
    keys = torchvision.models.mobilenet_v2(weights=None).features.state_dict()
    backbone = MODELS.build(dict(type='MobileNetV2')).state_dict()
    renamed = [rename_mobilenet_v2(f'features.{key}') for key in keys]
    assert renamed == [f'backbone.{key}' for key in backbone]
