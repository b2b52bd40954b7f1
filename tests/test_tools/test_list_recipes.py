import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'tools'))
import list_recipes  # noqa: E402


def test_names_and_what_they_reproduce(capsys):
    assert list_recipes.main(['eac/', 'rafdb', 'noise30-plain']) == 0
    assert capsys.readouterr().out.splitlines() == [
        'eac/resnet18_rafdb_noise30-plain',
        '    EAC with all three switches off: no flip consistency, both views '
        'classified,',
        '    nothing erased.',
        '    The paper (Table 3, RAF-DB, MS-Celeb-1M weights): 75.50 %.',
    ]


def test_all_names(capsys):
    assert list_recipes.main(['--short']) == 0
    files = ROOT.glob('configs/[!_]*/*.py')
    wanted = sorted(f'{path.parent.name}/{path.stem}' for path in files)
    assert sorted(capsys.readouterr().out.split()) == wanted


def test_every_recipe_says_what_it_is():
    for name, path in list_recipes.recipes():
        assert list_recipes.head_of(path), name


def test_the_name_of_a_method_is_that_method_alone(capsys):
    assert list_recipes.main(['--short', 'eac', 'syntheticfer']) == 0
    assert capsys.readouterr().out == 'eac/resnet18_syntheticfer_noise30\n'


def test_no_such_recipe(capsys):
    assert list_recipes.main(['eac', 'nowhere']) == 1
    assert 'No recipe has eac and nowhere in its name' in capsys.readouterr().out


def test_where(capsys):
    assert list_recipes.main(['--where']) == 0
    assert capsys.readouterr().out == f'{ROOT}\n'
