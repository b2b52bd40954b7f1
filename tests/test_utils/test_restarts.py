import os
import socket

import pytest

from eac_mm.utils.restarts import mark_for_restarts, restarted_in


@pytest.fixture(autouse=True)
def no_job(monkeypatch):
    for name in (
        'TORCHELASTIC_RUN_ID',
        'TORCHELASTIC_RESTART_COUNT',
        'SLURM_JOB_ID',
        'SLURM_RESTART_COUNT',
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def torchrun(monkeypatch):
    def start(attempt, number='eac_mm', agent=100, machines=1):
        monkeypatch.setenv('TORCHELASTIC_RUN_ID', number)
        monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', str(attempt))
        monkeypatch.setenv('GROUP_WORLD_SIZE', str(machines))
        monkeypatch.setattr(os, 'getppid', lambda: agent)

    return start


def test_without_a_job_there_are_no_restarts(tmp_path):
    mark_for_restarts(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not restarted_in(tmp_path)


def test_a_job_knows_the_folder_that_it_trained_in(tmp_path, torchrun):
    torchrun(attempt=0)
    mark_for_restarts(tmp_path)
    assert not restarted_in(tmp_path)
    torchrun(attempt=1)
    assert restarted_in(tmp_path)
    assert not restarted_in(tmp_path / 'other')


def test_a_job_that_did_not_get_to_train_does_not_resume_another(tmp_path, torchrun):
    torchrun(attempt=0, agent=100)
    mark_for_restarts(tmp_path)
    torchrun(attempt=1, agent=200)
    assert not restarted_in(tmp_path)


def test_on_several_machines_the_id_decides(tmp_path, torchrun, monkeypatch):
    torchrun(attempt=0, machines=2)
    mark_for_restarts(tmp_path)
    torchrun(attempt=1, machines=2, agent=7)
    monkeypatch.setattr(socket, 'gethostname', lambda: 'another')
    assert restarted_in(tmp_path)
    torchrun(attempt=1, machines=2, number='another_job')
    assert not restarted_in(tmp_path)


def test_jobs_without_an_id_on_several_machines_are_not_told_apart(tmp_path, torchrun):
    torchrun(attempt=0, machines=2, number='none')
    mark_for_restarts(tmp_path)
    assert list(tmp_path.iterdir()) == []
    torchrun(attempt=0, number='none')  # on one machine the process tells
    mark_for_restarts(tmp_path)
    torchrun(attempt=1, number='none')
    assert restarted_in(tmp_path)


def test_a_job_that_slurm_requeues(tmp_path, monkeypatch, torchrun):
    monkeypatch.setenv('SLURM_JOB_ID', '12')
    mark_for_restarts(tmp_path)
    assert not restarted_in(tmp_path)
    monkeypatch.setenv('SLURM_RESTART_COUNT', '1')
    assert restarted_in(tmp_path)
    torchrun(attempt=0)  # in the job, started by its script anew
    assert restarted_in(tmp_path)
    monkeypatch.setenv('SLURM_JOB_ID', '13')
    assert not restarted_in(tmp_path)


def test_torchrun_in_an_allocation_of_slurm(tmp_path, monkeypatch, torchrun):
    monkeypatch.setenv('SLURM_JOB_ID', '12')
    torchrun(attempt=0, agent=100)
    mark_for_restarts(tmp_path)
    torchrun(attempt=1, agent=200)
    assert not restarted_in(tmp_path)
    torchrun(attempt=1, agent=100)
    assert restarted_in(tmp_path)
