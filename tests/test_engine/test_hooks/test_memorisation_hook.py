"""Memorisation through every nesting, against predictions made one by one."""

import json

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS, HOOKS
from torch.utils.data import ConcatDataset, Dataset, Subset

from eac_mm.apis import build_runner, load_config
from eac_mm.datasets import NoisyLabels, SyntheticFER
from eac_mm.engine import MemorisationHook

RECIPE = 'configs/baseline/resnet18_syntheticfer_noise30.py'
EAC = 'configs/eac/resnet18_rafdb_noise30.py'
METRICS = {'accuracy/top1', 'mean_class/accuracy', 'mean_class/f1'}


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    # they take most of the time of so small a run
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)
    monkeypatch.setattr(Runner, 'dump_config', lambda *args: None)


def leaf(size=12, seed=0):
    pipeline = [dict(type='PackInputs')]
    return dict(
        type='SyntheticFER', size=size, img_size=24, seed=seed, pipeline=pipeline
    )


def noisy(size=12, seed=0, rate=0.5):
    return dict(type='NoisyLabels', dataset=leaf(size, seed), rate=rate, seed=seed)


BUILT = []


@DATASETS.register_module(force=True)
def BuiltBefore():  # a config can only name a data set
    return BUILT[-1]


@pytest.fixture
def make_runner(tmp_path):
    """Make the runner of a small recipe, on this training data."""

    def make(dataset, **options):
        options = {
            **({} if 'train_cfg._delete_' in options else {'train_cfg.max_epochs': 1}),
            'train_dataloader.batch_size': 6,
            'train_dataloader.num_workers': 0,
            'val_dataloader.num_workers': 0,
            'val_dataloader.dataset.size': 4,
            'val_dataloader.dataset.img_size': 24,
            'model.data_preprocessor.channels_last': False,
            'optim_wrapper.type': 'OptimWrapper',
            **options,
        }
        cfg = load_config(RECIPE, options, str(tmp_path))
        if isinstance(dataset, dict):
            cfg.train_dataloader.dataset = dataset
        else:
            BUILT.append(dataset)
            cfg.train_dataloader.dataset = dict(type='BuiltBefore')
        return build_runner(cfg)

    return make


def read_epochs(tmp_path):
    return json.loads((tmp_path / 'result.json').read_text())['epochs']


def predict(runner, sources):
    """The metrics of the wrong labels of some data sets, image by image."""
    model, pipeline = runner.model.eval(), runner.val_dataloader.dataset.pipeline
    memorised, corrected = [], []
    for dataset, indices in sources:
        for idx in indices:
            label, clean = dataset.given_labels[idx], dataset.clean_labels[idx]
            if label == clean:
                continue
            packed = pipeline(dataset.get_data_info(int(idx)))
            batch = {key: [value] for key, value in packed.items()}
            predicted = model.test_step(batch)[0].pred_label.item()
            memorised.append(predicted == label)
            corrected.append(predicted == clean)
    assert memorised
    return {
        'noise/memorised': round(100 * np.mean(memorised), 4),
        'noise/corrected': round(100 * np.mean(corrected), 4),
    }


def of_kind(kind, **kwargs):
    return dict(type=kind, **kwargs)


PARTS = [noisy(10), noisy(8, seed=1)]
NESTINGS = {
    'alone': (noisy(), [range(12)]),
    'repeat': (of_kind('RepeatDataset', dataset=noisy(), times=3), [range(12)]),
    'balanced': (
        of_kind('ClassBalancedDataset', dataset=noisy(), oversample_thr=0.4),
        [range(12)],
    ),
    'concatenated': (
        of_kind('ConcatDataset', datasets=PARTS),
        [range(10), range(8)],
    ),
    'repeat of concatenated, half of it clean': (
        of_kind(
            'RepeatDataset',
            dataset=of_kind('ConcatDataset', datasets=[noisy(10), leaf(8, seed=1)]),
            times=2,
        ),
        [range(10)],
    ),
    'repeat inside': (
        dict(noisy(), dataset=of_kind('RepeatDataset', dataset=leaf(), times=2)),
        [range(24)],
    ),
    'fold': (
        of_kind('KFoldDataset', dataset=noisy(20), num_splits=4, fold=1),
        [range(15)],
    ),
}


@pytest.mark.parametrize('name', NESTINGS)
def test_every_nesting(make_runner, tmp_path, name):
    dataset, parts = NESTINGS[name]
    runner = make_runner(dataset)
    runner.train()
    found = _noisy_parts(runner.train_dataloader.dataset)
    expected = predict(runner, zip(found, parts, strict=True))
    [epoch] = read_epochs(tmp_path)
    assert {k: v for k, v in epoch.items() if k.startswith('noise/')} == expected


def _noisy_parts(dataset):
    """NoisyLabels in a data set, by a walk of its own."""
    if isinstance(dataset, NoisyLabels):
        return [dataset]
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    return [n for part in inner if part is not None for n in _noisy_parts(part)]


class Classed(Subset):
    """PyTorch's Subset, with the class names that preflight asks for."""

    metainfo = property(lambda self: self.dataset.metainfo)


class ClassedConcat(ConcatDataset):
    metainfo = property(lambda self: self.datasets[0].metainfo)


def test_a_subset_counts_what_it_serves(make_runner, tmp_path):
    first, second = (DATASETS.build(part) for part in PARTS)
    chosen = [9, 0, 3, 3, 12, 17, 5]  # 10 and more are the second's
    runner = make_runner(Classed(ClassedConcat([first, second]), chosen))
    runner.train()
    expected = predict(runner, [(first, [0, 3, 5, 9]), (second, [2, 7])])
    [epoch] = read_epochs(tmp_path)
    assert {k: v for k, v in epoch.items() if k.startswith('noise/')} == expected


def test_a_set_number_of_batches_changes_nothing(make_runner, tmp_path):
    runner = make_runner(noisy(), **{'train_dataloader.num_batch_per_epoch': 1})
    runner.train()
    assert 'noise/memorised' in read_epochs(tmp_path)[0]


class Shortened(Dataset):
    """A wrapper that leaves samples out, nobody knows which."""

    def __init__(self, dataset):
        self.dataset = dataset
        self.metainfo = dataset.metainfo

    def __len__(self):
        return 5

    def __getitem__(self, idx):
        return self.dataset[idx]


def test_an_unknown_wrapper_is_refused_before_training(make_runner, tmp_path):
    runner = make_runner(Shortened(DATASETS.build(noisy())))
    with pytest.raises(TypeError, match=r'Shortened has 5 samples and wraps 12.*Fix:'):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))


def test_by_class_on_request(make_runner, tmp_path):
    runner = make_runner(noisy(), **{'default_hooks.memorisation.by_class': True})
    runner.train()
    [train] = _noisy_parts(runner.train_dataloader.dataset)
    wrong = train.given_labels != train.clean_labels
    counts = np.bincount(train.clean_labels[wrong], minlength=7)
    [epoch] = read_epochs(tmp_path)
    for name in ('noise/memorised', 'noise/corrected'):
        by_class = epoch[f'{name}_by_class']
        assert [share is None for share in by_class] == (counts == 0).tolist()
        shares = np.array([share or 0.0 for share in by_class])
        mean = (shares * counts).sum() / counts.sum()
        assert mean == pytest.approx(epoch[name], abs=1e-3)


def test_clean_labels_leave_the_metrics_as_they_are(make_runner, tmp_path):
    make_runner(noisy(rate=0.0)).train()
    assert set(read_epochs(tmp_path)[0]) == {'epoch', 'seconds', *METRICS}


# who sees the metrics, and when


@HOOKS.register_module(force=True)
class Witness(Hook):
    """Note the metrics that reach a hook of any priority, or the message hub."""

    priority = 'VERY_HIGH'
    seen = []

    def after_val_epoch(self, runner, metrics=None):
        self.seen.append({key: float(value) for key, value in metrics.items()})


def test_every_hook_and_log_sees_the_metrics(make_runner, tmp_path, monkeypatch):
    monkeypatch.setattr(Witness, 'seen', [])
    options = {
        'train_cfg.max_epochs': 2,
        'default_hooks.checkpoint.save_best': 'noise/memorised',
        'default_hooks.checkpoint.rule': 'less',
        'custom_hooks': [dict(type='Witness', priority='VERY_HIGH')],
    }
    runner = make_runner(noisy(), **options)
    runner.train()
    epochs = read_epochs(tmp_path)
    keys = ('noise/memorised', 'noise/corrected', 'accuracy/top1')
    for seen, epoch in zip(Witness.seen, epochs, strict=True):
        assert {k: round(seen[k], 4) for k in keys} == {k: epoch[k] for k in keys}
    history = runner.message_hub.get_scalar('val/noise/memorised').data[0]
    assert history.tolist() == [seen['noise/memorised'] for seen in Witness.seen]
    best = min(epochs, key=lambda epoch: epoch['noise/memorised'])
    names = [path.name for path in tmp_path.glob('best_*.pth')]
    assert names == [f'best_noise_memorised_epoch_{best["epoch"]}.pth']
    [scalars] = tmp_path.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in scalars.read_text().splitlines()]
    logged = [line['noise/corrected'] for line in lines if 'accuracy/top1' in line]
    assert logged == [seen['noise/corrected'] for seen in Witness.seen]


@pytest.mark.parametrize(
    ('interval', 'val_interval', 'last', 'measured'),
    [
        (1, 1, 1, [1, 2, 3, 4, 5]),
        (2, 1, 1, [2, 4, 5]),
        (2, 2, 1, [4, 5]),
        (9, 1, 1, [5]),
        (9, 1, 3, [3, 4, 5]),
        (9, 2, 2, [4, 5]),
        (2, 1, 2, [2, 4, 5]),
        (9, 1, 9, [1, 2, 3, 4, 5]),
    ],
)
def test_interval(make_runner, tmp_path, interval, val_interval, last, measured):
    options = {
        'train_cfg.max_epochs': 5,
        'train_cfg.val_interval': val_interval,
        'default_hooks.memorisation.interval': interval,
        'default_hooks.memorisation.last': last,
        'default_hooks.checkpoint': None,
    }
    make_runner(noisy(6), **options).train()
    epochs = read_epochs(tmp_path)
    assert [e['epoch'] for e in epochs if 'noise/memorised' in e] == measured
    assert len(epochs) == (5 if val_interval == 1 else 3)


@pytest.mark.parametrize('interval', [0, -1, 1.5, None])
def test_bad_interval(interval):
    with pytest.raises(ValueError, match=r'interval=.*Fix: give 1 or more'):
        MemorisationHook(interval)
    with pytest.raises(ValueError, match=r'last=.*Fix: give 1 or more'):
        MemorisationHook(last=interval)


def test_the_mean_of_the_last_epochs_holds_memorisation(make_runner, tmp_path):
    # The hook's defaults fit those of ResultHook, whatever the interval.
    options = {
        'train_cfg.max_epochs': 7,
        'default_hooks.memorisation.interval': 6,
        'default_hooks.result.last': 5,
        'default_hooks.checkpoint': None,
    }
    make_runner(noisy(6), **options).train()
    epochs = read_epochs(tmp_path)
    assert [e['epoch'] for e in epochs if 'noise/memorised' in e] == [3, 4, 5, 6, 7]
    [path] = tmp_path.rglob('result.json')
    mean = json.loads(path.read_text())['last_mean']['noise/memorised']
    expected = sum(e['noise/memorised'] for e in epochs[2:]) / 5
    assert mean == pytest.approx(expected, abs=1e-3)


def test_iteration_loops(make_runner, tmp_path, monkeypatch):
    monkeypatch.setattr(Witness, 'seen', [])
    runner = make_runner(
        noisy(),
        **{
            'train_cfg._delete_': True,
            'train_cfg.by_epoch': False,
            'train_cfg.max_iters': 5,
            'train_cfg.val_interval': 1,
            'default_hooks.memorisation.interval': 2,
            'default_hooks.memorisation.last': 1,
            'default_hooks.checkpoint': None,
            'param_scheduler': None,
            'custom_hooks': [dict(type='Witness')],
        },
    )
    runner.train()
    measured = ['noise/memorised' in seen for seen in Witness.seen]
    assert measured == [False, True, False, True, True]


def test_validation_alone_builds_no_training_data(make_runner, monkeypatch):
    built = []
    monkeypatch.setattr(NoisyLabels, 'full_init', lambda self: built.append(self))
    runner = make_runner(noisy())
    metrics = runner.val()
    assert set(metrics) == METRICS
    assert built == []
    assert isinstance(runner._train_loop, dict)


def test_no_graph_is_built(make_runner, monkeypatch):
    runner = make_runner(noisy())
    graphs = []
    step = runner.model.val_step

    def val_step(data):
        graphs.append(torch.is_grad_enabled())
        return step(data)

    monkeypatch.setattr(runner.model, 'val_step', val_step)
    runner.train()
    assert graphs == [False, False]  # one batch of each


# data sets without a pipeline


class Plain(Dataset):
    """Pairs of image and label, as in a tutorial of PyTorch."""

    classes = SyntheticFER.METAINFO['classes']
    targets = [i % 7 for i in range(14)]

    def __len__(self):
        return 14

    def __getitem__(self, idx):
        return torch.full((3, 24, 24), float(idx)), self.targets[idx]


def test_an_ordinary_data_set_trains_and_the_log_says_what_is_not_measured(
    make_runner, tmp_path
):
    runner = make_runner(NoisyLabels(Plain(), rate=0.5))
    runner.train()
    [log] = (path.read_text() for path in tmp_path.glob('*/*.log'))
    assert 'Memorisation is not measured' in log
    assert 'Plain has no get_data_info(idx) with an img_path. Fix:' in log
    assert set(read_epochs(tmp_path)[0]) == {'epoch', 'seconds', *METRICS}


def test_the_full_recipe(tmp_path, small_options):
    """EAC in its own precision and image size, with the clean labels by hand."""
    options = {**small_options, 'train_cfg.max_epochs': 1}
    cfg = load_config(EAC, options, str(tmp_path))
    cfg.train_dataloader.dataset.rate = 0.5
    runner = build_runner(cfg)
    runner.train()
    [train] = _noisy_parts(runner.train_dataloader.dataset)
    assert train.clean_labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 3, 3, 6, 4, 0]
    [epoch] = read_epochs(tmp_path)
    expected = predict(runner, [(train, range(12))])
    assert {k: v for k, v in epoch.items() if k.startswith('noise/')} == expected
