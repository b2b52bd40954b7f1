import importlib.metadata

import pytest
from mmengine import Config

import eac_mm
from eac_mm.utils.installed import get_installed_path, is_installed


def test_what_is_installed():
    assert is_installed('mmpretrain')  # a distribution and a module
    assert is_installed('mmcv-lite') or is_installed('mmcv')
    assert is_installed('json')  # a module alone
    assert not is_installed('no_such_package')
    assert not is_installed('')


def test_folders():
    assert get_installed_path('eac_mm') == eac_mm.__path__[0]
    name = 'opencv-python'  # its module has another name
    assert get_installed_path(name) == get_installed_path('cv2')
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        get_installed_path('no_such_package')


def test_configs_of_mmpretrain_are_bases(tmp_path):
    path = tmp_path / 'recipe.py'
    path.write_text(
        "_base_ = 'mmpretrain::_base_/models/resnet18_cifar.py'\n"
        'model = dict(head=dict(num_classes=7))'
    )
    model = Config.fromfile(path).model
    assert (model.backbone.type, model.head.num_classes) == ('ResNet_CIFAR', 7)
    path.write_text("_base_ = 'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py'")
    with pytest.raises(ModuleNotFoundError, match='mmdet is not installed'):
        Config.fromfile(path)
