from pathlib import Path

import pytest

from eac_mm.apis import load_config
from eac_mm.experiments.cost import duration, estimate, image_passes, show_costs

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.mark.parametrize(
    'recipe, images',
    [
        ('baseline/resnet18_rafdb_noise30', 60 * 12271),
        ('eac/resnet18_rafdb_noise30', 60 * 12271 * 2),  # two views
        ('eac/resnet18_rafdb_noise30-rotate', 60 * 12271 * 2),
        ('eac/resnet18_rafdb_noise30-plain', 60 * 12271 * 2),
        ('eac/resnet18_rafdb_noise30-noconsistency', 60 * 12271),
    ],
)
def test_passes_of_a_whole_data_set(recipe, images):
    assert image_passes(load_config(CONFIGS / f'{recipe}.py'), 12271) == images


def test_the_recipe_says_how_many_images_it_takes():
    cfg = load_config(CONFIGS / 'eac/resnet18_ferplus_noise30-small.py')
    assert image_passes(cfg, 28224) == cfg.train_cfg.max_epochs * 10000 * 2
    cfg = load_config(CONFIGS / 'eac/resnet18_syntheticfer_noise30.py')
    assert image_passes(cfg, 0) == cfg.train_cfg.max_epochs * 3000 * 2


def test_estimate_takes_the_runs_most_alike():
    measured = {
        'eac/resnet18_rafdb_noise30': [0.1, 0.3, 0.2],
        'eac/resnet50_rafdb_clean': [0.5],
    }
    assert estimate('eac/resnet18_rafdb_noise30', 10, measured) == pytest.approx(2)
    assert estimate('baseline/resnet50_rafdb_noise10', 10, measured) == 5
    assert estimate('eac/a_cifar100_b', 10, measured) == pytest.approx(2.5)
    assert estimate('eac/a_cifar100_b', 10, {}) is None


def test_plan_with_and_without_finished_runs(book, cells, finish, tmp_path):
    runs = {run: cell.entry for cell in cells('one') for run in cell.runs}
    folder = tmp_path / 'runs' / 'full'
    text = show_costs(runs, folder, book.data)
    assert '700 image passes, unknown until a run has finished' in text
    assert text.endswith(
        '6 runs: 0 finished, 6 to do, 4,200 image passes; '
        'one after another unknown until a run has finished'
    )
    first = next(iter(runs))
    finish(first, 80.0, seconds=600.0)
    (first.work_dir / 'settings.py').write_text(first.settings().pretty_text)
    lines = show_costs(runs, folder, book.data).splitlines()
    assert lines[0] == f'{first.work_dir}: 700 image passes, finished'
    assert lines[1].endswith('seed1: 700 image passes, about 10 min')
    assert lines[-1].startswith('6 runs: 1 finished, 5 to do, 3,500 image passes')
    assert lines[-1].endswith('one after another about 50 min')


def test_durations():
    assert duration(90) == 'about 2 min'
    assert duration(9000) == 'about 2.5 h'
