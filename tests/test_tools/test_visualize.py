"""The command that draws figures."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.chdir(ROOT)
    return runpy.run_path(str(ROOT / 'tools/visualize.py'))


def test_pairs_are_written(tool, tmp_path, capsys):
    recipe = 'configs/eac/resnet18_syntheticfer_noise30.py'
    out = tmp_path / 'pairs'
    size = 'train_dataloader.dataset.dataset.size=12'
    command = ['pairs', recipe, '--count', '1', '--out', str(out)]
    tool['main']([*command, '--cfg-options', size])
    assert capsys.readouterr().out.split()[-2:] == [f'{out}.png', f'{out}.svg']
    assert out.with_suffix('.png').read_bytes().startswith(b'\x89PNG')


def test_runs_have_names(tool):
    named = tool['name_runs'](['EAC=a/run', 'b/other'])
    assert named == {'EAC': 'a/run', 'other': 'b/other'}
    with pytest.raises(ValueError, match='Fix: give NAME=PATH'):
        tool['name_runs'](['a/run', 'b/run'])
