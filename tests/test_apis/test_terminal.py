import logging
from pathlib import Path

import pytest
from short_training import OPTIONS

from eac_mm.apis import build_runner, load_config
from eac_mm.apis.terminal import is_for_people

RECIPE = 'configs/baseline/resnet18_syntheticfer_noise30.py'


def record(text):
    return logging.LogRecord('a', logging.INFO, '', 1, text, (), None)


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('Config:\nmodel = dict()', False),
        ('Hooks will be executed in the following order:\nbefore_run:', False),
        ('"FileClient" will be deprecated in future.', False),
        ('"HardDiskBackend" is the alias of "LocalBackend" and', False),
        ('Epoch(train) [1][50/94]  lr: 2.0000e-03', True),
        ('8 images a step over all processes; the recipe was set for 32.', True),
        ('', True),
    ],
)
def test_what_is_for_people(text, shown):
    assert is_for_people(record(text)) is shown


def test_the_terminal_is_short_and_the_file_has_everything(tmp_path, capfd):
    options = {**OPTIONS, 'log_level': 'INFO', 'train_cfg.max_epochs': 1}
    runner = build_runner(load_config(RECIPE, options, str(tmp_path)))
    runner.train()
    shown = ''.join(capfd.readouterr())
    (log,) = tmp_path.glob('*/*.log')
    written = log.read_text()
    listings = ('System environment:', 'Config:\n', 'Hooks will be executed')
    for text in (*listings, 'FileClient'):
        assert text in written
        assert text not in shown
    assert f'Environment, config and hooks are listed in {log}' in shown
    assert len(shown.splitlines()) < 30
    assert shown.index('Epoch(train) [1][1/3]') < shown.index('Epoch(val) [1]')
    last = shown.strip().splitlines()[-1]
    assert 'Finished epoch 1 after' in last
    assert Path(last.rpartition('Checkpoints: ')[2]) == tmp_path
