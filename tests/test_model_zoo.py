"""Recipes, metafiles and results name each other, and agree."""

import csv
from pathlib import Path

import pytest
import yaml
from mmengine import Config
from modelindex.load_model_index import load

ROOT = Path(__file__).parents[1]
RECIPES = sorted(ROOT.glob('configs/[!_]*/*.py'))
METAFILES = sorted(ROOT.glob('configs/*/metafile.yml'))
INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text(encoding='utf-8'))


def models_of(path):
    return yaml.safe_load(path.read_text(encoding='utf-8'))['Models']


def test_every_method_has_a_metafile_in_the_index():
    methods = {path.parent for path in RECIPES}
    assert {path.parent for path in METAFILES} == methods
    wanted = [path.relative_to(ROOT).as_posix() for path in METAFILES]
    assert INDEX['Import'] == wanted


def test_the_index_is_what_model_index_reads():
    index = load(str(ROOT / 'model-index.yml'))
    index.build_models_with_collections()
    recipes = {path.relative_to(ROOT).as_posix() for path in RECIPES}
    assert {model.config for model in index.models} == recipes


@pytest.mark.parametrize('path', METAFILES, ids=lambda path: path.parent.name)
def test_a_metafile_says_what_its_recipes_do(path):
    content = yaml.safe_load(path.read_text(encoding='utf-8'))
    (collection,) = content['Collections']
    assert (ROOT / collection['README']).is_file()
    code = collection.get('Code', 'mmpretrain')
    assert code.startswith('mmpretrain') or (ROOT / code).is_file()
    recipes = sorted(p for p in path.parent.glob('*.py'))
    named = sorted(ROOT / model['Config'] for model in content['Models'])
    assert named == recipes
    for model in content['Models']:
        recipe = ROOT / model['Config']
        assert model['Name'] == f'{recipe.parent.name}_{recipe.stem}'
        assert model['In Collection'] == collection['Name']
        cfg, said = Config.fromfile(recipe), model['Metadata']
        assert said['Epochs'] == cfg.train_cfg.max_epochs, recipe
        assert said['Batch Size'] == cfg.train_dataloader.batch_size, recipe
        data = cfg.train_dataloader.dataset
        if data.get('rate') and data.kind == 'symmetric':
            noise = f'{100 * data.rate:.0f} % symmetric noise'
            assert said['Training Data'].endswith(noise), recipe
        else:
            assert '% symmetric' not in said['Training Data'], recipe


def test_results_are_of_recipes_that_there_are():
    known = {model['Config'] for path in METAFILES for model in models_of(path)}
    tables = sorted(ROOT.glob('docs/results/*.csv'))
    assert tables
    for table in tables:
        with table.open(encoding='utf-8', newline='') as file:
            for row in csv.DictReader(file):
                if 'recipe' not in row:  # a table of something else
                    break
                assert f'configs/{row["recipe"]}.py' in known, table.name
