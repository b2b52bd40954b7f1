import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpretrain.registry import DATASETS
from torch.utils.data import Subset

from eac_mm.apis import load_config
from eac_mm.datasets import HeldOut, NoisyLabels, SyntheticFER
from eac_mm.datasets.held_out import hold_out
from eac_mm.datasets.wrappers import origins

ROOT = Path(__file__).parents[2]
LABELS = np.repeat([0, 1, 2], [50, 30, 7])


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('share', [0.1, 0.2, 1 / 3, 0.5, 0.9])
def test_classes_are_held_out_in_proportion(share, seed):
    labels = np.random.default_rng(9).permutation(LABELS)
    held = hold_out(labels, share, None, 0, seed)
    assert held.sum() == int(len(labels) * share + 1e-9)
    for label in range(3):
        expected = share * (labels == label).sum()
        assert abs(held[labels == label].sum() - expected) < 1


@pytest.mark.parametrize('folds', [2, 3, 5])
def test_folds_are_equal_and_everything_is_held_out_once(folds):
    parts = [hold_out(LABELS, 0.2, folds, fold, 3) for fold in range(folds)]
    assert np.array_equal(np.sum(parts, 0), np.ones(len(LABELS)))
    for label in (None, 0, 1, 2):
        here = LABELS >= 0 if label is None else label == LABELS
        sizes = [part[here].sum() for part in parts]
        assert max(sizes) - min(sizes) <= 1


def test_a_seed_gives_one_split():
    one, other = (hold_out(LABELS, 0.2, None, 0, seed) for seed in (0, 1))
    assert np.array_equal(one, hold_out(LABELS, 0.2, None, 0, 0))
    assert not np.array_equal(one, other)


def test_the_parts_of_a_data_set():
    faces = SyntheticFER(size=30, pipeline=[dict(type='PackInputs')])
    train, val = (HeldOut(faces, part, share=0.3, seed=2) for part in ('train', 'val'))
    assert (len(train), len(val)) == (21, 9)
    assert sorted(train.indices + val.indices) == list(range(30))
    assert isinstance(val, Subset)
    labels = faces.get_gt_labels()
    assert val.get_gt_labels().tolist() == labels[val.indices].tolist()
    assert val.get_cat_ids(3) == [labels[val.indices[3]]]
    assert val.get_data_info(3)['gt_label'] == labels[val.indices[3]]
    assert val[3]['data_samples'].gt_label.item() == labels[val.indices[3]]
    assert val.metainfo['classes'] == faces.metainfo['classes']
    assert origins(val).index.tolist() == val.indices
    noisy = NoisyLabels(train, rate=0.3)
    assert noisy.clean_labels.tolist() == train.get_gt_labels().tolist()


def test_noisy_labels_are_what_it_sees():
    noisy = NoisyLabels(SyntheticFER(size=70), rate=0.5, seed=1)
    held = HeldOut(noisy, 'val', folds=5, fold=4)
    given = noisy.given_labels[held.indices]
    assert held.get_gt_labels().tolist() == given.tolist()
    sizes = np.bincount(noisy.given_labels, minlength=7) / 5
    assert (np.abs(np.bincount(given, minlength=7) - sizes) < 1).all()
    assert (given != noisy.clean_labels[held.indices]).any()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (
            dict(part='test'),
            "part='test' is unknown. Fix: choose one of 'train'",
        ),
        (dict(share=1), r'share=1 is not allowed. Fix: give one in \(0, 1\)'),
        (dict(share='a'), "share='a' is not"),
        (dict(folds=1), 'folds=1 is not allowed. Fix: give 2'),
        (dict(folds=5, fold=5), 'fold=5 of folds=5 .*Fix: count the folds from 0'),
        (dict(fold=1), 'fold=1 of folds=None'),
        (dict(seed=None), 'seed=None is not allowed'),
        (dict(share=0.01), '20 samples leave 0 held out. Fix: another share'),
    ],
)
def test_what_is_not_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        HeldOut(SyntheticFER(size=20), **{'part': 'val', **arguments})


@pytest.fixture
def recipes(tmp_path):
    """The recipes of docs/validation.md, beside the repository's configs."""
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    (tmp_path / 'mine').mkdir()
    text = (ROOT / 'docs' / 'validation.md').read_text()
    blocks = re.findall(r'```python\n(.+?)```', text, re.DOTALL)
    paths = [tmp_path / 'mine' / f'{i}.py' for i in range(len(blocks))]
    for path, block in zip(paths, blocks, strict=True):
        path.write_text(block)
    return paths


def test_one_folder(recipes, tmp_path):
    for name in ('happy', 'sad'):
        folder = tmp_path / 'faces' / name
        folder.mkdir(parents=True)
        for i in range(10):
            cv2.imwrite(str(folder / f'{i}.png'), np.zeros((8, 8, 3), np.uint8))
    root = str(tmp_path / 'faces')
    options = {
        'train_dataloader.dataset.dataset.dataset.data_root': root,
        'val_dataloader.dataset.dataset.data_root': root,
    }
    cfg = load_config(recipes[0], options)
    train = DATASETS.build(cfg.train_dataloader.dataset)
    val = DATASETS.build(cfg.val_dataloader.dataset)
    assert np.bincount(train.get_gt_labels()).tolist() == [8, 8]
    assert np.bincount(val.get_gt_labels()).tolist() == [2, 2]
    names = [
        {data.get_data_info(i)['name'] for i in range(len(data))}
        for data in (train, val)
    ]
    assert not names[0] & names[1]
    assert cfg.model.type == 'EACClassifier' and len(train[0]['inputs']) == 2  # a pair
    assert cfg.test_dataloader.dataset.part == 'val'
    assert cfg.optim_wrapper and cfg.train_cfg.max_epochs == 60


def test_a_noisy_split_of_rafdb(recipes, rafdb_root):
    options = {
        'train_dataloader.dataset.dataset.dataset.data_root': str(rafdb_root),
        'val_dataloader.dataset.dataset.dataset.data_root': str(rafdb_root),
        'train_dataloader.dataset.share': 0.25,
        'val_dataloader.dataset.share': 0.25,
    }
    cfg = load_config(recipes[1], options)
    train = DATASETS.build(cfg.train_dataloader.dataset)
    val = DATASETS.build(cfg.val_dataloader.dataset)
    assert (len(train), len(val)) == (9, 3)  # of twelve
    assert isinstance(val.dataset, NoisyLabels) and val.dataset.rate == 0.3
    assert val.dataset.given_labels.tolist() == train.dataset.given_labels.tolist()
    assert len(train[0]['inputs']) == 2  # a pair
    assert val[0]['inputs'].shape == (3, 224, 224)
