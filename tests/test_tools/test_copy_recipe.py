import sys
from pathlib import Path

import pytest

from eac_mm.apis import load_config

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'tools'))
import copy_recipe  # noqa: E402


@pytest.mark.parametrize(
    ('name', 'files'),
    [
        (
            'eac/resnet18_syntheticfer_noise30',
            {
                'eac/resnet18_syntheticfer_noise30.py',
                '_base_/models/resnet18w16.py',
                '_base_/models/resnet18.py',
                '_base_/datasets/syntheticfer.py',
                '_base_/datasets/faces_224.py',
                '_base_/schedules/adam_20e_synthetic.py',
                '_base_/schedules/adam_60e.py',
                '_base_/default_runtime.py',
            },
        ),
        (
            'configs/rul/resnet18_rafdb_noise30.py',  # over recipes of another method
            {
                'rul/resnet18_rafdb_noise30.py',
                'baseline/resnet18_rafdb_noise30.py',
                'baseline/resnet18_rafdb_clean.py',
                '_base_/models/resnet18.py',
                '_base_/datasets/rafdb.py',
                '_base_/datasets/faces_224.py',
                '_base_/schedules/adam_60e.py',
                '_base_/default_runtime.py',
            },
        ),
    ],
)
def test_a_copy_is_whole_and_the_same_recipe(name, files, tmp_path, capsys):
    copy_recipe.main([name, str(tmp_path / 'mine')])
    copied = [path for path in (tmp_path / 'mine').rglob('*') if path.is_file()]
    found = {path.relative_to(tmp_path / 'mine').as_posix() for path in copied}
    assert found == files
    path = capsys.readouterr().out.split('eac-mm train ')[1].strip()
    assert load_config(path).to_dict() == load_config(name).to_dict()


def test_what_was_edited_is_kept(tmp_path):
    recipe = copy_recipe.find('eac/resnet18_rafdb_noise30')
    copied = copy_recipe.copy(recipe, tmp_path)
    assert copy_recipe.copy(recipe, tmp_path) == copied  # unchanged: no harm
    base = tmp_path / '_base_' / 'schedules' / 'adam_60e.py'
    base.write_text('# mine\n')
    with pytest.raises(FileExistsError, match=r'adam_60e\.py: there already.*Fix:'):
        copy_recipe.copy(copy_recipe.find('eac/resnet18_ferplus_clean'), tmp_path)
    assert base.read_text() == '# mine\n'
    assert not (tmp_path / 'eac' / 'resnet18_ferplus_clean.py').exists()


def test_no_such_recipe():
    with pytest.raises(FileNotFoundError, match='Fix: eac/resnet18_rafdb_noise30'):
        copy_recipe.find('eac/resnet18_rafdb_noise3')
