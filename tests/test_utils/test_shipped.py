from pathlib import Path

import pytest

from eac_mm.utils import shipped

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / 'configs' / 'eac' / 'resnet18_rafdb_clean.py'


@pytest.mark.parametrize(
    'name',
    [
        'eac/resnet18_rafdb_clean',
        'eac/resnet18_rafdb_clean.py',
        'configs/eac/resnet18_rafdb_clean.py',
        RECIPE,
    ],
)
def test_a_recipe_by_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped.find_recipe(name) == RECIPE


def test_ones_own_file_precedes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = Path('configs/eac/resnet18_rafdb_clean.py')
    own.parent.mkdir(parents=True)
    own.touch()
    assert shipped.find_recipe(str(own)) == own
    assert shipped.find_recipe('eac/resnet18_rafdb_clean') == RECIPE


def test_no_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped.find_recipe('eac/resnet18_rafdb') is None
    assert shipped.find_recipe('configs/eac') is None


def test_a_wheel_has_its_own(tmp_path, monkeypatch):
    assert shipped.configs() == ROOT / 'configs'
    monkeypatch.setattr(shipped, '_IN_WHEEL', tmp_path)
    assert shipped.configs() == tmp_path / 'configs'
