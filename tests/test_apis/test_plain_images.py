"""Training images without augmentation."""

import numpy as np
import pytest
import torch
from short_training import SAMPLES

from eac_mm.apis import load_config, plain_images
from eac_mm.apis.plain_images import as_tested, batches
from eac_mm.datasets import NoisyLabels

RECIPE = 'configs/eac/resnet18_syntheticfer_noise30.py'
SMALL = {'train_dataloader.dataset.dataset.size': SAMPLES}


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)


@pytest.fixture
def data():
    return as_tested(load_config(RECIPE, SMALL))


def test_images_are_not_augmented(data):
    first, again = data[3], data[3]
    assert torch.equal(first['inputs'], again['inputs'])
    assert first['inputs'].shape == (3, 48, 48)
    samples = first['data_samples']
    assert samples.gt_label.item() == data.given_labels[3]
    assert samples.clean_label == data.clean_labels[3]


def test_a_recipe_of_joined_data_sets_is_refused():
    cfg = load_config(RECIPE, SMALL)
    part = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[part, part])
    with pytest.raises(ValueError, match='need one data set of each. Fix: name a'):
        as_tested(cfg)


@pytest.mark.parametrize('cache', ['ram', 'device'])
def test_a_cache_is_left_out(data, cache):
    cfg = load_config(RECIPE, SMALL, cache=cache)
    cached = as_tested(cfg)
    assert isinstance(cached, NoisyLabels)
    assert torch.equal(cached[3]['inputs'], data[3]['inputs'])
    assert cfg.train_dataloader.dataset.dataset.type == 'NoisyLabels'


def test_a_recipe_without_validation_data_is_refused():
    cfg = load_config(RECIPE, SMALL)
    cfg.val_dataloader = None
    with pytest.raises(ValueError, match='Fix: name a recipe with one training'):
        as_tested(cfg)


def test_batches_have_every_sample_once(monkeypatch):
    monkeypatch.setattr(plain_images, 'BATCH', 2)
    data = [dict(inputs=torch.Tensor([number])) for number in range(5)]
    visited = batches(data, range(5))
    found = [[item['inputs'].item() for item in batch] for batch in visited]
    assert found == [[0, 1], [2, 3], [4]]
    chosen = batches(data, np.array([4, 1, 3]))
    found = [[item['inputs'].item() for item in batch] for batch in chosen]
    assert found == [[4, 1], [3]]
