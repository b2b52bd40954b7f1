"""What changes between a checkpoint and the next epoch is exact after a resume."""

import pytest

from .toy import Kill, Killed, Learner, config, outcome, train

# Between checkpoint and validation, in it, after it, and in the next epoch.
MOMENTS = ['before_val', 'after_val_iter', 'after_val', 'before_train_epoch']
TOP1 = 'accuracy/top1'
PLATEAU = dict(
    type='ReduceOnPlateauLR', monitor=TOP1, rule='greater', patience=0, factor=0.5
)
STOPPING = dict(type='EarlyStoppingHook', monitor=TOP1, patience=3)
KINDS = {
    'plateau': dict(param_scheduler=[PLATEAU]),
    'early stopping': dict(
        custom_hooks=[STOPPING], train_cfg=dict(by_epoch=True, max_epochs=20)
    ),
    'save best': {'default_hooks.checkpoint.save_best': TOP1},
    'best and plateau': {
        'default_hooks.checkpoint.save_best': 'auto',
        'param_scheduler': [PLATEAU],
    },
    'averaged weights': dict(
        custom_hooks=[dict(type='EMAHook', momentum=0.1)], param_scheduler=[PLATEAU]
    ),
    'accumulation': {'optim_wrapper.accumulative_counts': 3},
    'checkpoints now and then': {
        'default_hooks.checkpoint.interval': 2,
        'optim_wrapper.accumulative_counts': 4,
        'param_scheduler': [PLATEAU],
    },
}


@pytest.mark.parametrize('kind', KINDS)
def test_kinds(tmp_path, kind):
    whole = outcome(train(config(tmp_path / 'whole', **KINDS[kind])))
    for i, moment in enumerate(MOMENTS):
        cfg = config(tmp_path / moment, **KINDS[kind])
        with pytest.raises(Killed):
            train(cfg, [Kill(moment, 2 + i % 2)])
        assert outcome(train(cfg, resume=True)) == whole, moment


def test_a_validation_that_was_not_due_is_not_repeated(tmp_path):
    """After epoch 5: the interval has become 2 by then."""
    options = {'train_cfg.dynamic_intervals': [(5, 2)], 'param_scheduler': [PLATEAU]}
    whole = outcome(train(config(tmp_path / 'whole', **options)))
    assert [e['epoch'] for e in whole['epochs']] == [1, 2, 3, 4, 6]
    cfg = config(tmp_path / 'run', **options)
    with pytest.raises(Killed):
        train(cfg, [Kill('before_train_epoch', 5)])
    assert outcome(train(cfg, resume=True)) == whole


@pytest.mark.parametrize('moment', MOMENTS)
def test_a_hook_of_the_user_s_that_learns_from_metrics(tmp_path, moment):
    hook = Learner()
    whole = train(config(tmp_path / 'whole'), [hook])
    resumed = Learner()
    cfg = config(tmp_path / 'run')
    with pytest.raises(Killed):
        train(cfg, [Learner(), Kill(moment, 3)])
    run = train(cfg, [resumed], resume=True)
    assert outcome(run) == outcome(whole)
    assert vars(resumed) == vars(hook)
    assert hook.epochs == 6
