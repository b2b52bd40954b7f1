import copy
import random
from collections import deque

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.model import BaseModel
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn
from torch.utils.data import DataLoader, Dataset

from eac_mm.datasets import SeedAugmentation
from eac_mm.engine.rehearsal import (
    CopyError,
    kept_randomness,
    real_batch,
    rehearse,
)

CPU = torch.device('cpu')


class Images(Dataset):
    """Views of random pixels, of a given size."""

    def __init__(self, side=64, views=2, samples=6, channels=3):
        self.shape = (channels, side, side)
        self.views, self.samples = views, samples

    def __len__(self):
        return self.samples

    def __getitem__(self, idx):
        views = [
            torch.randint(0, 256, self.shape).byte() + np.uint8(random.random() > 2)
            for _ in range(self.views)
        ]
        sample = DataSample().set_gt_label(idx % 2)
        sample.set_metainfo(dict(sample_idx=idx, drawn=np.random.random()))
        return dict(inputs=views if self.views > 1 else views[0], data_samples=sample)


def batch_of(dataset, batch_size=4, collate_fn=default_collate):
    loader = DataLoader(dataset, batch_size=batch_size, collate_fn=collate_fn)
    return real_batch(loader, seed=0, epoch=0)


RESNET = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)


def build(backbone=RESNET, in_channels=64, kind='EACClassifier', **changes):
    pair = kind == 'EACClassifier'
    head = 'EACHead' if pair else 'LinearClsHead'
    model = dict(
        type=kind,
        backbone=backbone,
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type=head, num_classes=2, in_channels=in_channels),
        data_preprocessor=dict(type='EACDataPreprocessor', channels_last=False),
    )
    return MODELS.build(model | changes)


# a batch


@pytest.mark.parametrize(
    ('batch_size', 'samples', 'indices'),
    [
        (32, 6, [0, 1, 3, 5]),
        (3, 6, [0, 2, 5]),
        (1, 6, [0, 5]),  # one sample has no batch statistics
        (32, 1, [0, 0, 0, 0]),
    ],
)
def test_a_few_real_samples_are_collated(batch_size, samples, indices):
    batch = batch_of(Images(8, samples=samples), batch_size)
    assert [s.sample_idx for s in batch['data_samples']] == indices
    assert [view.shape for view in batch['inputs']] == [(len(indices), 3, 8, 8)] * 2


def test_a_data_set_that_serves_batches_is_asked_for_one():
    class Batches(Images):
        def __getitems__(self, indices):
            return dict(inputs=torch.zeros(len(indices)), asked=indices)

    batch = batch_of(Batches(), collate_fn=lambda batch: batch)
    assert batch['asked'] == [0, 1, 3, 5]


def test_the_seed_of_the_augmentation_is_put_back():
    seeding = SeedAugmentation()

    class Seeded(Images):
        class pipeline:
            transforms = (seeding,)

        def __getitem__(self, idx):
            seeding(dict(sample_idx=idx))
            return super().__getitem__(idx)

    first, second = batch_of(Seeded(8)), batch_of(Seeded(8))
    drawn = [[s.drawn for s in batch['data_samples']] for batch in (first, second)]
    assert drawn[0] == drawn[1]
    assert seeding.seed_epoch == (-1, -1)
    seeding.set_epoch(3, 7)
    batch_of(Seeded(8))
    assert seeding.seed_epoch == (3, 7)


# no trace


class Busy(BaseModel):
    """Changes all that a method might in a step, and draws from every generator."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)
        self.register_buffer('bank', torch.zeros(6))
        self.register_buffer('hidden', torch.zeros(6), persistent=False)
        self.queue, self.steps, self.table = deque(maxlen=3), 0, dict(best=[])
        self.frozen = nn.Linear(4, 4).eval()
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        assert mode == 'loss'
        assert self.training and torch.is_grad_enabled()
        indices = [sample.sample_idx for sample in data_samples]
        features = self.drop(self.norm(inputs.float().mean((2, 3))))
        loss = self.fc(self.frozen(features)).square().mean()
        loss.backward(retain_graph=True)
        with torch.no_grad():
            self.bank[indices] += random.random() + np.random.random()
            self.fc.weight.mul_(2)
        self.hidden = torch.rand(6) + torch.rand(6, generator=self.generator)
        self.queue.append(loss.item())
        self.steps += 1
        self.table['best'].append(self.steps)
        self.frozen.train()
        return dict(loss=loss)


def state_of(model):
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    return dict(
        tensors={name: value.detach().clone() for name, value in tensors.items()},
        identities={name: id(value) for name, value in tensors.items()},
        gradients={name: value.grad for name, value in model.named_parameters()},
        modes={name: module.training for name, module in model.named_modules()},
        hooks=[len(m._forward_hooks) for m in model.modules()],
        attributes=(list(model.queue), model.steps, copy.deepcopy(model.table)),
        drawn=model.generator.get_state(),
    )


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return one == other


@pytest.mark.parametrize('training', [True, False])
def test_nothing_of_a_rehearsal_stays_behind(training):
    model = Busy().train(training)
    model.fc.weight.grad = None
    before = state_of(model)
    batch = batch_of(Images(8, views=1, channels=4))
    rehearse(model, batch)
    after = state_of(model)
    for name in before:
        assert same(before[name], after[name]), name
    # and these states can differ
    model.train()(**batch, mode='loss')
    changed = state_of(model)
    for name in before:
        if name == 'identities':
            assert before[name]['hidden'] != changed[name]['hidden']
        elif name not in ('hooks', 'modes'):
            assert not same(before[name], changed[name]), name


def test_random_states_are_kept():
    def draw():
        return random.random(), np.random.random(), torch.rand(1).item()

    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    expected = draw()
    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    with pytest.raises(KeyError), kept_randomness(CPU):
        assert draw() == expected
        random.seed(4), np.random.seed(4), torch.manual_seed(4)
        raise KeyError
    assert draw() == expected


def test_it_runs_in_the_precision_of_training():
    model, seen = build(), []
    model.head.fc.register_forward_hook(lambda *args: seen.append(args[2].dtype))
    batch = batch_of(Images())
    rehearse(model, batch)
    rehearse(model, batch, torch.autocast('cpu', torch.bfloat16))
    assert seen == [torch.float32, torch.bfloat16]


def test_synchronised_statistics_are_not_synchronised():
    model = nn.SyncBatchNorm.convert_sync_batchnorm(build())
    norm = model.backbone.bn1
    assert isinstance(norm, nn.SyncBatchNorm)
    # On the CPU, SyncBatchNorm would refuse; with several processes, it would wait.
    rehearse(model, batch_of(Images()))
    assert model.backbone.bn1 is norm


def test_what_cannot_be_copied_is_told_from_what_fails():
    model = build()
    model.lock = (i for i in range(3))
    with pytest.raises(CopyError, match='EACClassifier cannot be copied: .*generator'):
        rehearse(model, batch_of(Images()))


# what fails, where, and how to fix it


def message_of(model, batch):
    with pytest.raises(ValueError) as caught:
        rehearse(model, batch)
    return str(caught.value)


@pytest.mark.parametrize('kind', ['EACClassifier', 'ImageClassifier'])
def test_channels_of_the_head(kind):
    batch = batch_of(Images(views=2 if kind == 'EACClassifier' else 1))
    message = message_of(build(in_channels=512, kind=kind), batch)
    assert f'{kind} (ResNet, ' in message
    assert 'of 64 x 64: head.fc, Linear, fails on (4, 64)' in message
    assert message.endswith('Fix: --cfg-options model.head.in_channels=64')


def test_images_too_small_for_the_backbone():
    message = message_of(build(dict(type='AlexNet')), batch_of(Images(16)))
    assert 'EACClassifier (AlexNet, EACHead) cannot train on 2 views of 16 x 16' in (
        message
    )
    assert 'Output size is too small' in message
    assert message.endswith('Fix: Resize to a larger scale in the pipelines.')


def test_images_too_small_for_the_loss():
    message = message_of(build(), batch_of(Images(32)))
    assert message.startswith(
        'EACClassifier (ResNet, EACHead) cannot train on 2 views of 32 x 32: the '
        'images are too small: the last feature map is 1 x 1'
    )
    assert message.endswith('Fix: Resize to a larger scale in the pipelines.')


def test_one_view_is_no_pair():
    message = message_of(build(), batch_of(Images(views=1)))
    assert 'cannot train on images of 64 x 64' in message
    assert 'Fix: pipeline=_base_.pair_pipeline' in message


def test_a_pair_is_no_single_image():
    message = message_of(build(kind='ImageClassifier'), batch_of(Images()))
    assert 'Fix: this model takes single images' in message
    assert 'train_pipeline' in message


def test_channels_of_the_images():
    message = message_of(build(), batch_of(Images(channels=1)))
    assert 'backbone.conv1' in message
    assert message.endswith('Fix: give backbone.conv1 1 input channels, or 3 to it.')


def test_a_backbone_with_a_classifier_for_another_size():
    model = build(kind='ImageClassifier')
    model.backbone = nn.Sequential(nn.Flatten(), nn.Linear(3 * 48 * 48, 64))
    message = message_of(model, batch_of(Images(views=1)))
    assert 'backbone.1, Linear, fails on (4, 12288)' in message
    assert 'Fix: leave num_classes out of model.backbone' in message


def test_a_batch_that_the_preprocessor_does_not_take():
    model = build(data_preprocessor=dict(type='EACDataPreprocessor'))
    batch = batch_of(Images(views=1), collate_fn=pseudo_collate)
    batch['inputs'] = 'images'
    message = message_of(model, batch)
    assert 'data_preprocessor, EACDataPreprocessor, fails (' in message
    assert 'PackInputs' in message


def test_losses_that_teach_nothing():
    class Deaf(Busy):
        def forward(self, inputs, data_samples=None, mode='tensor'):
            return dict(loss=self.fc(torch.zeros(1, 4)).detach().sum())

    batch = batch_of(Images(8, views=1))
    assert "the losses ['loss'], and no parameter learns" in message_of(Deaf(), batch)
    frozen = build()
    frozen.requires_grad_(False)
    assert 'do not freeze' in message_of(frozen, batch_of(Images()))


def test_lack_of_memory_is_no_mistake_of_the_model():
    class Large(Busy):
        def forward(self, inputs, data_samples=None, mode='tensor'):
            raise torch.cuda.OutOfMemoryError('32 GB')

    with pytest.raises(torch.cuda.OutOfMemoryError, match='32 GB'):
        rehearse(Large(), batch_of(Images(8, views=1)))
