from pathlib import Path

import pytest
from mmengine import Config

from eac_mm.apis import load_config
from eac_mm.experiments import cost
from eac_mm.experiments.cost import (
    Speed,
    estimate,
    image_passes,
    measured_speeds,
    passes_per_image,
    show_costs,
)

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


@pytest.mark.parametrize(
    'options, passes',
    [
        ({}, 1),
        (dict(views=3), 3),
        (dict(head_views=2), 2),
        (dict(views=3, head_views=2), 3),
        (dict(head_views=2, head_passes=1.25), 1.25),
    ],
)
def test_the_model_tells_how_often_an_image_passes(options, passes):
    assert passes_per_image(dict(type='ToyClassifier', **options)) == passes


def test_images_are_counted_below_any_wrapper():
    inner = dict(type='A', indices=[4, 7, 9])
    dataset = dict(type='Cache', dataset=dict(type='NoisyLabels', dataset=inner))
    cfg = Config(
        dict(
            model=dict(type='ToyClassifier', views=2),
            train_dataloader=dict(dataset=dataset),
            train_cfg=dict(max_epochs=5),
        )
    )
    assert image_passes(cfg, 100) == 5 * 3 * 2


@pytest.mark.parametrize(
    ('indices', 'images'),
    [(40, 40), (-40, 40), (500, 100), ([1, 1, 2], 3), (None, 100)],
)
def test_a_part_is_counted(indices, images):
    cfg = Config(
        dict(
            model=dict(type='ToyClassifier'),
            train_dataloader=dict(dataset=dict(type='A', indices=indices)),
            train_cfg=dict(max_epochs=1),
        )
    )
    assert image_passes(cfg, 100) == images


def test_estimate_takes_the_runs_most_alike():
    small, large = ('ResNet 18', 'rafdb'), ('ResNet 50', 'rafdb')
    speeds = [Speed('eac/a', small, seconds) for seconds in (0.1, 0.3, 0.2)]
    speeds.append(Speed('eac/b', large, 0.5))
    assert estimate('eac/a', small, 10, speeds) == pytest.approx(2)
    assert estimate('baseline/c', large, 10, speeds) == 5
    assert estimate('eac/d', ('VGG', 'cifar100'), 10, speeds) == pytest.approx(2.5)
    assert estimate('eac/d', small, 10, []) is None


@pytest.fixture
def this_machine(monkeypatch):
    monkeypatch.setattr(cost.hardware, 'describe', lambda: 'a box')


def test_finished_runs_are_measurements(book, cells, finish, plan_of, this_machine):
    swept, itself = cells('sweep', seeds=2)
    for run, finished in ((swept.runs[1], True), (itself.runs[0], False)):
        finish(run, 80.0, seconds=140.0, finished=finished)
    finished = plan_of().finished(book.entries('full'))
    (speed,) = measured_speeds(finished, book.data)
    assert speed.recipe == 'eac/a_rafdb_x'
    assert speed.seconds == pytest.approx(140 / (7 * 100))


def test_runs_of_other_machines_say_nothing(book, cells, finish, plan_of):
    finish(cells('one')[0].runs[0], 80.0)
    assert measured_speeds(plan_of().finished(book.entries('full')), book.data) == []


def test_plan_with_and_without_finished_runs(
    book, cells, finish, plan_of, this_machine
):
    wanted = {'one': cells('one')}
    assert show_costs(wanted, [], book.data).splitlines() == [
        'table  column  row   seeds  image passes a run  time a run',
        'one    R       Base  0 1 2  700                 unknown',
        'one    R       EAC   0 1 2  700                 unknown',
        '',
        '6 runs: 0 finished, 6 to do, 4,200 image passes. Time one after another: '
        'unknown until a run has finished on this machine.',
    ]
    finish(wanted['one'][0].runs[1], 80.0, seconds=600.0)
    finished = plan_of().finished(book.entries('full'))
    assert show_costs(wanted, finished, book.data).splitlines() == [
        'table  column  row   seeds  image passes a run  time a run',
        'one    R       Base  0 2    700                 about 10 min',
        'one    R       Base  1      700                 finished',
        'one    R       EAC   0 1 2  700                 about 10 min',
        '',
        '6 runs: 1 finished, 5 to do, 3,500 image passes. Time one after another: '
        'about 50 min.',
    ]


def test_a_run_of_two_tables_is_counted_once(book, cells, finish, plan_of):
    wanted = {'one': cells('one', seeds=1), 'sweep': cells('sweep', seeds=1)}
    for run in (cell.runs[0] for of in wanted.values() for cell in of):
        finish(run, 80.0)
    assert show_costs(wanted, [], book.data).splitlines() == [
        'table  column  row   seeds  image passes a run  time a run',
        'one    R       Base  0      700                 finished',
        'one    R       EAC   0      700                 finished',
        'sweep  R       0.1   0      700                 finished',
        'sweep  R       5     0      700                 shared with EAC of one',
        '',
        '3 runs: 3 finished.',
    ]
