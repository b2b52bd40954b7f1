import random
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.utils.data import DataLoader, Dataset

from eac_mm.datasets import AffinePair
from eac_mm.datasets.images import ready_batch
from eac_mm.engine import BFloat16OptimWrapper, PreflightHook
from eac_mm.engine.hooks.preflight_hook import (
    check_classes,
    check_labels,
    check_layout,
    check_losses,
    check_same_classes,
    report_batch_size,
)


class Images(Dataset):
    """Pairs of blank views of a given size, and class names."""

    def __init__(self, size, classes=('a', 'b')):
        self.size = size
        self.metainfo = {} if classes is None else dict(classes=classes)

    def __len__(self):
        return 4

    def __getitem__(self, idx):
        view = torch.zeros(3, self.size, self.size, dtype=torch.uint8)
        sample = DataSample().set_gt_label(idx % 2)
        return dict(inputs=[view, view], data_samples=sample)


class Runner(SimpleNamespace):
    """What the hook reads of a runner."""

    def __init__(self, model, dataset, wrapper=OptimWrapper):
        self.said = []
        optimizer = torch.optim.SGD(model.parameters(), lr=1)
        if wrapper is OptimWrapperDict:
            optim_wrapper = wrapper(one=OptimWrapper(optimizer))
        else:
            optim_wrapper = wrapper(optimizer)
        super().__init__(
            model=model,
            train_dataloader=DataLoader(dataset, 4, collate_fn=default_collate),
            train_loop=SimpleNamespace(max_iters=1, max_epochs=1),
            val_loop=None,
            optim_wrapper=optim_wrapper,
            seed=0,
            epoch=0,
            cfg={},
            logger=SimpleNamespace(warning=self.said.append),
        )


def step(model, dataset, **options):
    runner = Runner(model, dataset, **options)
    check_losses(runner, model)
    return runner.said


def build(backbone, in_channels=64, num_classes=2):
    return MODELS.build(
        dict(
            type='EACClassifier',
            backbone=backbone,
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='EACHead', num_classes=num_classes, in_channels=in_channels),
            data_preprocessor=dict(type='EACDataPreprocessor', channels_last=False),
        )
    )


RESNET = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)


def drawn():
    return random.random(), np.random.random(), torch.rand(1).item()


@pytest.mark.parametrize('wrapper', [OptimWrapper, BFloat16OptimWrapper])
def test_what_fits_passes_and_stays_as_it_was(wrapper):
    model = build(RESNET)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = drawn()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    runner = Runner(model, Images(64), wrapper)
    PreflightHook().before_train(runner)
    assert runner.said == []
    assert drawn() == expected
    assert model.training
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_number_of_classes():
    with pytest.raises(ValueError, match=r'num_classes=2.*training data has 3 classes'):
        check_classes(build(RESNET), Images(64, ('a', 'b', 'c')), 'training')
    with pytest.raises(ValueError, match='has no class names'):
        check_classes(build(RESNET), Images(64, None), 'validation')


def test_classes_may_be_listed_in_any_sequence():
    check_same_classes(Images(64, ['a', 'b']), Images(64, ('a', 'b')))
    with pytest.raises(ValueError, match=r"\('a', 'b'\) and \('b', 'a'\)\. Fix:"):
        check_same_classes(Images(64, ['a', 'b']), Images(64, ('b', 'a')))


def test_input_too_small():
    with pytest.raises(ValueError, match=r'32 x 32: the images are too small.*1 x 1'):
        step(build(RESNET), Images(32))
    with pytest.raises(ValueError, match=r'AlexNet, EACHead\) cannot .* of 16 x 16'):
        step(build(dict(type='AlexNet')), Images(16))


def test_channels_of_the_head():
    with pytest.raises(ValueError, match=r'ResNet.*fails on \(4, 64\).*channels=64'):
        step(build(RESNET, in_channels=512), Images(64))


@pytest.mark.parametrize(
    ('labels', 'message'),
    [
        ([0, 1, 2], '1 labels of the validation .* sample 2 has the label 2, and 2 cl'),
        ([0, -1, 5], '2 labels of .* sample 1 has the label -1, .* allow 0 to 1'),
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
        step(build(RESNET), Single(64))


def test_a_data_set_that_serves_batches():
    """As DeviceCache does: the loader's collate function passes them on."""

    class Batches(Images):
        def __getitems__(self, indices):
            return default_collate([self[idx] for idx in indices])

    for size in (64, 32):
        runner = Runner(build(RESNET), Batches(size))
        loader = DataLoader(Batches(size), 4, collate_fn=ready_batch)
        runner.train_dataloader = loader
        if size == 64:
            check_losses(runner, runner.model)
            assert runner.said == []
        else:
            with pytest.raises(ValueError, match='32 x 32: the images are too small'):
                check_losses(runner, runner.model)


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
            data = super().__getitem__(idx)
            matrix = np.eye(2, 3, dtype=np.float32)
            data['data_samples'].set_metainfo(dict.fromkeys(self.keys, matrix))
            return data

    dataset = Turned(64)
    with pytest.raises(ValueError, match=r'algorithm_keys=\("view_affine",\)'):
        step(build(RESNET), dataset)
    dataset.keys = ('view_affine',)
    step(build(RESNET), dataset)


class Alternating(type(build(RESNET))):
    """A method with a step of its own."""

    def train_step(self, data, optim_wrapper):
        raise NotImplementedError


def test_a_model_with_a_step_of_its_own_is_warned():
    model = build(RESNET, in_channels=512)
    model.__class__ = Alternating
    (said,) = step(model, Images(64), wrapper=OptimWrapperDict)
    assert 'rehearsal of a training step failed' in said
    assert 'in_channels=64' in said
    fits = build(RESNET)
    fits.__class__ = Alternating
    assert step(fits, Images(64), wrapper=OptimWrapperDict) == []


def test_a_model_that_cannot_be_copied_is_not_refused():
    model = build(RESNET)
    model.stream = (i for i in range(3))
    (said,) = step(model, Images(64))
    assert said.startswith(
        'training starts unrehearsed: EACClassifier cannot be copied'
    )


def test_a_model_of_another_kind_is_left_alone():
    model = torch.nn.Linear(2, 2)
    assert step(model, Images(64)) == []


@pytest.mark.parametrize(
    ('batch', 'counts', 'text'),
    [
        (32, 1, None),
        (8, 1, '8 images a step over'),
        (8, 4, None),  # four batches make a step
        (32, 2, r'64 images a step \(2 batches of 32\) over'),
    ],
)
def test_another_batch_size_is_said(batch, counts, text):
    said = []
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1)
    runner = SimpleNamespace(
        cfg=dict(auto_scale_lr=dict(base_batch_size=32)),
        train_dataloader=SimpleNamespace(batch_size=batch),
        optim_wrapper=OptimWrapper(optimizer, accumulative_counts=counts),
        logger=SimpleNamespace(warning=said.append),
    )
    report_batch_size(runner)
    assert len(said) == (text is not None)
    if text:
        assert re.match(f'{text} all processes; the recipe was set for 32', said[0])
