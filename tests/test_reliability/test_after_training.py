"""What is done with a runner after its training has ended."""

import json

import pytest
import torch

from .toy import Kill, Killed, config, train

BEST = {'default_hooks.checkpoint.save_best': 'accuracy/top1'}
SHORT = dict(by_epoch=True, max_epochs=2)


def result(folder):
    return json.loads((folder / 'result.json').read_text())


def test_a_validation_afterwards_is_not_noted(tmp_path):
    runner = train(config(tmp_path, train_cfg=SHORT))
    before = result(tmp_path)
    runner.val()
    assert result(tmp_path) == before
    assert before['finished'] and len(before['epochs']) == 2


def test_a_validation_after_a_training_that_failed_is_not_noted(tmp_path):
    kill = Kill('after_train_epoch', 2)  # two epochs are done
    runner = []
    kill.before_run = runner.append
    with pytest.raises(Killed):
        train(config(tmp_path), [kill])
    runner[0].val()
    assert [e['epoch'] for e in result(tmp_path)['epochs']] == [1, 2]


@pytest.mark.parametrize('resume', [False, True])
def test_weights_loaded_afterwards_are_to_measure(tmp_path, resume):
    train(config(tmp_path, train_cfg=SHORT, **BEST))
    cfg = config(tmp_path, train_cfg=dict(by_epoch=True, max_epochs=3), **BEST)
    if not resume:
        cfg.work_dir = str(tmp_path / 'new')
    runner = train(cfg, resume=resume)
    (best,) = tmp_path.glob('best_*.pth')
    weights = torch.load(best, weights_only=True)['state_dict']
    runner.load_checkpoint(str(best))
    for key, value in runner.model.state_dict().items():
        assert torch.equal(value, weights[key])
    del weights['layers.3.bias']  # a start may have another head
    torch.save(dict(state_dict=weights), tmp_path / 'partial.pth')
    with pytest.raises(ValueError, match=r'layers\.3\.bias'):
        runner.load_checkpoint(str(tmp_path / 'partial.pth'))
