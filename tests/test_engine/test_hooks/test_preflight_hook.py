from types import SimpleNamespace

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.utils.data import Dataset

from eac_mm.datasets import AffinePair
from eac_mm.engine.hooks.preflight_hook import (
    check_classes,
    check_features,
    check_labels,
    check_layout,
    report_batch_size,
)


class Images(Dataset):
    """One pair of blank views of a given size, and class names."""

    def __init__(self, size, classes=('a', 'b')):
        self.size = size
        self.metainfo = {} if classes is None else dict(classes=classes)

    def __getitem__(self, idx):
        view = torch.zeros(3, self.size, self.size, dtype=torch.uint8)
        return dict(inputs=[view, view])


def build(backbone, in_channels=64, num_classes=2):
    return MODELS.build(
        dict(
            type='EACClassifier',
            backbone=backbone,
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='EACHead', num_classes=num_classes, in_channels=in_channels),
        )
    )


RESNET = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)


def test_what_fits_passes_and_leaves_the_model_as_it_was():
    model = build(RESNET)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    check_classes(model, Images(64), 'training')
    check_features(model, Images(64))
    assert model.training
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_number_of_classes():
    with pytest.raises(ValueError, match=r'num_classes=2.*training data has 3 classes'):
        check_classes(build(RESNET), Images(64, ('a', 'b', 'c')), 'training')
    with pytest.raises(ValueError, match='has no class names'):
        check_classes(build(RESNET), Images(64, None), 'validation')


def test_input_too_small():
    with pytest.raises(ValueError, match=r'32 x 32 are too small.*1 x 1'):
        check_features(build(RESNET), Images(32))
    vgg = dict(type='AlexNet')
    with pytest.raises(ValueError, match=r'AlexNet cannot take images of 16 x 16'):
        check_features(build(vgg), Images(16))


def test_channels_of_the_head():
    with pytest.raises(ValueError, match=r'gives 64 channels.*in_channels=64'):
        check_features(build(RESNET, in_channels=512), Images(64))


@pytest.mark.parametrize(
    ('labels', 'message'),
    [
        ([0, 1, 2], 'sample 2 of the validation data has the label 2; its 2 classes'),
        ([0, -1, 5], 'sample 1 .* label -1; .* 2 samples are so'),
    ],
)
def test_labels_out_of_range(labels, message):
    images = Images(64)
    check_labels(images, 'validation')  # cannot list its labels
    images.get_gt_labels = lambda: [0, 1, 1, 0]
    check_labels(images, 'validation')
    images.get_gt_labels = lambda: labels
    with pytest.raises(ValueError, match=message):
        check_labels(images, 'validation')


def test_one_view_is_no_pair():
    class Single(Images):
        def __getitem__(self, idx):
            return dict(inputs=super().__getitem__(idx)['inputs'][0])

    with pytest.raises(ValueError, match='pair_pipeline'):
        check_features(build(RESNET), Single(64))


def test_a_data_set_that_gives_indices_loads_one():
    class Indices(Images):
        def __getitem__(self, idx):
            return dict(inputs=idx)

        def load(self, idx):
            return super().__getitem__(idx)

    check_features(build(RESNET), Indices(64))
    with pytest.raises(ValueError, match='32 x 32 are too small'):
        check_features(build(RESNET), Indices(32))


def test_a_network_too_narrow_for_channels_last():
    model = build(RESNET)  # 8 channels
    model.data_preprocessor.channels_last = True
    with pytest.raises(ValueError, match=r'downsample.0 has 8 input .*=False'):
        check_layout(model)
    model.data_preprocessor.channels_last = False
    check_layout(model)
    wide = build(dict(RESNET, stem_channels=16, base_channels=16), in_channels=128)
    wide.data_preprocessor.channels_last = True
    check_layout(wide)


def test_a_matrix_that_is_lost_on_the_way():
    class Turned(Images):
        pipeline = SimpleNamespace(transforms=[AffinePair(angle=30)])
        keys: tuple = ()

        def __getitem__(self, idx):
            sample = DataSample(metainfo=dict.fromkeys(self.keys, 0))
            return dict(super().__getitem__(idx), data_samples=sample)

    dataset = Turned(64)
    with pytest.raises(ValueError, match='algorithm_keys'):
        check_features(build(RESNET), dataset)
    dataset.keys = ('view_affine',)
    check_features(build(RESNET), dataset)


@pytest.mark.parametrize(('batch', 'warns'), [(32, False), (8, True)])
def test_another_batch_size_is_said(batch, warns):
    said = []
    runner = SimpleNamespace(
        cfg=dict(auto_scale_lr=dict(base_batch_size=32)),
        train_dataloader=SimpleNamespace(batch_size=batch),
        logger=SimpleNamespace(warning=said.append),
    )
    report_batch_size(runner)
    assert bool(said) is warns
    if warns:
        assert '8 images a step' in said[0]
        assert 'set for 32' in said[0]
