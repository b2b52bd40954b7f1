import copy
import json

import pytest
from results import result_of

from eac_mm.experiments.records import (
    differences,
    read_result,
    settings_in,
    settings_of,
    write_record,
)
from eac_mm.version import MEASURES


@pytest.fixture
def run(cells):
    return cells('one')[1].runs[1]


def test_a_record_is_read_back_and_has_an_epoch_a_line(tmp_path):
    epochs = [{'epoch': i, 'noise/memorised_by_class': [1.5, None]} for i in (1, 2)]
    result = dict(finished=True, epochs=epochs, identity=dict(seed=3))
    command = dict(recipe='eac/a', options=['a=1'], amp=True)
    path = tmp_path / 'new' / 'seed3.json'
    write_record(path, command, result)
    assert read_result(path) == {**command, **result}
    lines = path.read_text().splitlines()
    assert lines[6:8] == [f'  {json.dumps(epochs[0])},', f'  {json.dumps(epochs[1])}']
    assert len(lines) == 11


def test_a_result_has_the_settings_of_its_run(run):
    result = result_of(run, 80.0)
    assert differences(settings_in(result), settings_of(run.settings())) == []


@pytest.mark.parametrize(
    ('key', 'value', 'line'),
    [
        ('seed', 4, 'seed: 4 -> 1'),
        ('measures', 0, f'measures: 0 -> {MEASURES}'),
        ('start', ['a.pth'], "start: ['a.pth'] -> []"),
        ('epochs', [dict(epoch=6)], 'length: 6 -> 7'),
        ('epochs', [dict(iter=600)], 'length: 600 -> 7'),
    ],
)
def test_what_differs_is_named(run, key, value, line):
    result = result_of(run, 80.0)
    (result['identity'] if key == 'seed' else result)[key] = value
    assert differences(settings_in(result), settings_of(run.settings())) == [line]


def test_an_unfinished_run_may_be_short(run):
    result = dict(result_of(run, 80.0), epochs=[dict(epoch=2)], finished=False)
    assert differences(settings_in(result), settings_of(run.settings())) == []


@pytest.mark.parametrize(
    ('option', 'line'),
    [
        ({'model.weight': 3.0}, 'model.weight: not set -> 3.0'),
        ({'train_cfg.val_interval': 2}, 'val_interval: 1 -> 2'),
        (
            {'train_cfg.dynamic_intervals': [(3, 1)]},
            'dynamic_intervals: [] -> [[3, 1]]',
        ),
        ({'param_scheduler': dict(gamma=0.5)}, "param_scheduler: not set -> {'gamma'"),
        ({'load_from': '/mnt/w/a.pth'}, "start: [] -> ['a.pth']"),
        ({'train_dataloader.num_workers': 3}, None),
        ({'work_dir': 'elsewhere'}, None),
    ],
)
def test_a_changed_recipe(run, option, line):
    result, cfg = result_of(run, 80.0), run.settings()
    cfg = copy.deepcopy(cfg)
    cfg.merge_from_dict(option)
    found = differences(settings_in(result), settings_of(cfg))
    assert len(found) == (line is not None)
    assert all(text.startswith(line) for text in found)


def test_a_result_without_identity_cannot_be_compared(run):
    result = dict(result_of(run, 80.0), identity=None)
    (line,) = differences(settings_in(result), settings_of(run.settings()))
    assert 'before 0.1.0' in line
