"""Loops and checkpoints that do not go together, and those by iterations."""

import json
import math

import pytest
import torch
from mmengine.hooks import Hook

from .toy import Kill, Killed, config, outcome, train

TOP1 = 'accuracy/top1'
BY_ITER = {
    'train_cfg': dict(by_epoch=False, max_iters=12, val_interval=3),
    'default_hooks.checkpoint': dict(by_epoch=False, interval=2),
    'optim_wrapper.accumulative_counts': 3,
    'train_dataloader.sampler.type': 'InfiniteSampler',
}


def test_checkpoints_inside_an_epoch_are_refused(tmp_path):
    cfg = config(tmp_path, **{'default_hooks.checkpoint.by_epoch': False})
    with pytest.raises(ValueError, match=r'by_epoch=False, interval=1.*Fix: .*IterB'):
        train(cfg)
    assert not list(tmp_path.glob('*.pth'))


def test_only_a_last_checkpoint_by_epoch_is_said(tmp_path, capsys):
    options = {**BY_ITER, 'default_hooks.checkpoint': dict(by_epoch=True)}
    train(config(tmp_path, **options))
    assert 'the only checkpoint is written at its end' in capsys.readouterr().out


@pytest.mark.parametrize('moment', ['before_val', 'after_val_iter', 'after_val'])
def test_iterations_are_exact_and_named(tmp_path, moment):
    whole = outcome(train(config(tmp_path / 'whole', **BY_ITER)))
    assert [e['iter'] for e in whole['epochs']] == [3, 6, 9, 12]
    assert not any('epoch' in e for e in whole['epochs'])
    cfg = config(tmp_path / 'run', **BY_ITER)
    with pytest.raises(Killed):
        train(cfg, [Kill(moment, 6)])
    epochs = json.loads((tmp_path / 'run' / 'result.json').read_text())['epochs']
    assert len(epochs) == (2 if moment == 'after_val' else 1)
    assert outcome(train(cfg, resume=True)) == whole


class Spoil(Hook):
    """Make a parameter infinite after a step whose loss was finite."""

    priority = 'HIGHEST'

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 7:
            with torch.no_grad():
                next(runner.model.parameters())[0, 0] = math.inf


def test_nothing_is_saved_after_the_loss_went_wrong(tmp_path):
    cfg = config(tmp_path, **BY_ITER)
    with pytest.raises(FloatingPointError, match=r'weight is not finite.*iteration 8'):
        train(cfg, [Spoil()])
    assert sorted(p.name for p in tmp_path.glob('*.pth')) == [
        'iter_4.pth',
        'iter_6.pth',
    ]


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (
            {'train_dataloader.batch_size': 32, 'train_dataloader.drop_last': True},
            r'20 of 20 training samples .* batch_size is 32 and drop_last is True',
        ),
        ({'train_cfg.max_epochs': 0}, 'train_cfg allows 0 epochs'),
        (
            {'train_dataloader.sampler.type': 'ToyNoSamples'},
            'the sampler gives 0 of 20',
        ),
    ],
)
def test_a_training_without_a_step_is_refused(tmp_path, options, said):
    with pytest.raises(ValueError, match=f'no training step.*{said}.*Fix: '):
        train(config(tmp_path, **options))
    assert not list(tmp_path.glob('*.pth'))


def test_weights_without_an_optimiser_are_no_place_to_resume(tmp_path):
    cfg = config(tmp_path, **{'default_hooks.checkpoint.save_best': TOP1})
    train(cfg)
    cfg.load_from = str(next(tmp_path.glob('best_*.pth')))
    with pytest.raises(ValueError, match=r'no optimiser state.*Fix: resume from epoch'):
        train(cfg, resume=True)
