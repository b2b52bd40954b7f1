"""A config is checked as a whole, with nothing left behind."""

from pathlib import Path

import pytest
from mmengine import Config
from mmengine.runner import Runner

from eac_mm.apis import check

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / 'configs' / 'eac' / 'resnet18_syntheticfer_noise30.py'
SMALL = [
    'train_dataloader.dataset.dataset.size=24',
    'val_dataloader.dataset.size=8',
    'test_dataloader.dataset.size=8',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Check in an empty folder; it must still be empty afterwards."""
    monkeypatch.chdir(tmp_path)
    # Both take longer than the rest.
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)
    monkeypatch.setattr(Config, 'pretty_text', property(str))
    yield
    assert [p for p in tmp_path.rglob('*') if p.name != 'mine.py'] == []


def found(problems, stops=True):
    return {
        problem.place: problem.text for problem in problems if problem.stops == stops
    }


def test_a_sound_recipe():
    cfg, problems = check(RECIPE, [*SMALL, 'train_dataloader.batch_size=32'])
    assert problems == []
    assert cfg.model.type == 'EACClassifier'


def test_all_problems_at_once():
    wrong = [
        'train_dataloader.dataset.rate=1.5',
        'val_dataloader.dataset.split=valid',
        'model.head.consistency_weight=-1',
        'default_hooks.ramp.epochs=-2',
        'optim_wrapper.optimizer.lr=-3',
        'val_evaluator.1.type=NoSuchMetric',
        'load_from=none.pth',
    ]
    _, problems = check(RECIPE, [*SMALL, *wrong])
    texts = found(problems)
    assert 'rate 1.5' in texts['train_dataloader.dataset']
    assert 'valid' in texts['val_dataloader.dataset']
    assert 'consistency_weight=-1' in texts['model']
    assert '-3' in texts['optim_wrapper']
    assert 'none.pth does not exist' in texts['load_from']
    assert {'hook ramp', 'val_evaluator.1'} <= set(texts)


def test_an_optimizer_that_does_not_exist():
    _, problems = check(RECIPE, [*SMALL, 'optim_wrapper.optimizer.type=Adamm'])
    assert found(problems) == {
        'optim_wrapper': "optimizer.type='Adamm': there is no such optimizer. Fix: Adam"
    }


def test_what_fails_only_together():
    # Each part can be built; the head does not take what the backbone gives.
    _, problems = check(RECIPE, [*SMALL, 'model.head.in_channels=64'])
    (problem,) = problems
    assert problem.place == 'training'
    assert 'Fix: --cfg-options model.head.in_channels=128' in problem.text


def test_warnings_do_not_stop(tmp_path):
    own = tmp_path / 'mine.py'
    own.write_text(f'_base_ = {str(RECIPE)!r}\ncustom_hook = []\n')
    _, problems = check(own, [*SMALL, 'train_dataloader.batch_size=8'])
    assert found(problems) == {}
    texts = [problem.text for problem in problems]
    assert any('custom_hook: nothing reads' in text for text in texts)
    assert any('8 images a step' in text for text in texts)


def test_a_config_that_cannot_be_loaded():
    cfg, problems = check(RECIPE, ['model.head.consistency_wieght=3'])
    assert cfg is None
    assert 'consistency_weight' in found(problems)['config']
    cfg, problems = check('eac/none')
    assert cfg is None and 'eac/none does not exist' in found(problems)['config']


def test_weights_of_a_part(tmp_path):
    own = tmp_path / 'mine.py'
    own.write_text(
        f'_base_ = {str(RECIPE)!r}\n'
        "start = dict(type='Pretrained', checkpoint='none.pth')\n"
        'model = dict(backbone=dict(init_cfg=start))\n'
    )
    _, problems = check(own, SMALL)
    place = 'model.backbone.init_cfg.checkpoint'
    assert list(found(problems)) == [place]
    assert 'none.pth does not exist' in found(problems)[place]
