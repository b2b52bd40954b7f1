import pytest

from eac_mm.experiments import comparison_table, plan_comparison


@pytest.fixture
def planned(configs, tmp_path):
    files = [str(configs / name / 'a_rafdb_x.py') for name in ('baseline', 'eac')]
    return plan_comparison(files, [3, 1, 3], tmp_path / 'w', ['model.weight=2'])


def test_plan(planned, configs, tmp_path):
    assert list(planned) == ['baseline/a_rafdb_x', 'eac/a_rafdb_x']
    first, second = planned['eac/a_rafdb_x']
    assert (first.seed, second.seed) == (3, 1)
    assert first.work_dir == tmp_path / 'w' / 'eac' / 'a_rafdb_x' / 'seed3'
    assert first.config == str(configs / 'eac/a_rafdb_x.py')
    assert first.options == ('model.weight=2',)


def test_only_finished_runs_count(planned, finish):
    first, second = planned['eac/a_rafdb_x']
    more = {'noise/memorised': 20.0, 'mean_class/accuracy': 64.0}
    finish(first, 70.0, 71.0, seconds=60.0, **more)
    finish(second, 80.0, 90.0, finished=False)
    lines = comparison_table(planned).splitlines()
    assert lines[2] == '| baseline/a_rafdb_x | - | - | - | - | - | - | - | - |'
    assert (
        lines[3]
        == '| eac/a_rafdb_x | 3 | 70.00 | 64.00 | - | 71.00 | 20.00 | - | 1.00 |'
    )


def test_nothing_is_finished(planned):
    assert comparison_table(planned).count('|' + ' - |' * 8) == 2
