import errno
import itertools
import os
import time
from pathlib import Path

import pytest
from ranks import in_two_processes

from eac_mm.apis import build_runner, load_config

RECIPE = 'configs/baseline/resnet18_syntheticfer_noise30.py'
SECONDS = itertools.count(1_700_000_000)  # one for each test


@pytest.fixture(autouse=True)
def in_one_second(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    second = next(SECONDS)
    monkeypatch.setattr('time.time', lambda: second)


def build(work_dir):
    return build_runner(load_config(RECIPE, work_dir=str(work_dir)))


def logs(work_dir):
    return {p: p.read_bytes() for p in work_dir.glob('*/**/*') if p.is_file()}


def test_runners_of_one_process_share_nothing(tmp_path):
    cfgs = [load_config(RECIPE, work_dir=str(tmp_path / name)) for name in 'abc']
    cfgs[1].experiment_name = 'mine'
    cfgs[2].runner_type = 'Runner'
    runners = [build_runner(cfg) for cfg in cfgs]
    assert 'mine' in runners[1].experiment_name
    assert 'experiment_name' not in cfgs[2]
    assert len({runner.experiment_name for runner in runners}) == 3
    for part in ('message_hub', 'visualizer', 'logger'):
        assert len({id(getattr(runner, part)) for runner in runners}) == 3
    for runner in runners:
        runner.visualizer.add_scalar('x', 1)
        assert [*Path(runner.work_dir).glob('*/vis_data/scalars.json')]


def test_later_runs_in_the_folder_leave_the_log_as_it_is(tmp_path):
    first = build(tmp_path)
    first.visualizer.add_config(first.cfg)
    first.logger.warning('of the first')
    before = logs(tmp_path)
    assert {p.suffix for p in before} == {'.log', '.py'}

    later = [build(tmp_path) for _ in range(2)]
    for runner in later:
        runner.visualizer.add_config(runner.cfg)
        runner.logger.warning('of a later one')
    after = logs(tmp_path)
    assert before.items() <= after.items()
    assert len(after) == 3 * len(before)
    names = [Path(runner.log_dir).name for runner in (first, *later)]
    assert names == [names[0], f'{names[0]}_2', f'{names[0]}_3']


def test_a_run_of_another_process_keeps_its_log(tmp_path):
    name = time.strftime('%Y%m%d_%H%M%S', time.localtime(time.time()))
    log = tmp_path / name / f'{name}.log'
    log.parent.mkdir()
    log.write_text('of another process')
    assert build(tmp_path).log_dir == f'{log.parent}_2'
    assert log.read_text() == 'of another process'


def _log_dirs(rank, work_dir):
    return [build(work_dir).log_dir for _ in range(2)]


def test_all_processes_of_a_run_have_one_log_folder(tmp_path):
    first, second = in_two_processes(_log_dirs, tmp_path)
    assert first == second
    assert len(set(first)) == 2


def _message(rank, work_dir):
    with pytest.raises(OSError, match='No space left') as error:
        build(work_dir)
    return str(error.value)


def test_a_folder_that_cannot_be_made_fails_all_processes(tmp_path, monkeypatch):
    def mkdir(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    tmp_path.joinpath('run').mkdir()
    monkeypatch.setattr(Path, 'mkdir', mkdir)
    first, second = in_two_processes(_message, tmp_path / 'run')
    assert first == second
