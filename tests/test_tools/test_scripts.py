"""The shell scripts, with stubs in place of Python and Slurm."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools'
STUB = """#!/usr/bin/env bash
echo "command: ${EAC_MM_COMMAND:-}" >&2
printf '%s\\n' "$(basename "$0")" "$@"
exit ${STATUS:-0}
"""


@pytest.fixture
def call(tmp_path):
    """Run a script; return its words, its error output and its status."""
    for name in ('python', 'srun', 'scontrol'):
        (tmp_path / name).write_text(STUB)
    # A batch job starts from its script alone, in another folder.
    batch = 'echo "$@" > "$FOLDER/asked"; cat > "$FOLDER/job"; cd /; bash "$FOLDER/job"'
    (tmp_path / 'sbatch').write_text(f'#!/usr/bin/env bash\n{batch}\n')
    for stub in tmp_path.iterdir():
        stub.chmod(0o755)

    def run(script, *words, **environment):
        unset = ('PORT', 'NNODES', 'MASTER_ADDR', 'JOB_ID')
        kept = {k: v for k, v in os.environ.items() if k not in unset}
        kept.update(PATH=f'{tmp_path}:{os.environ["PATH"]}', FOLDER=str(tmp_path))
        done = subprocess.run(
            [str(TOOLS / script), *words],
            env={**kept, **environment},
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stdout.splitlines(), done.stderr, done.returncode

    return run


@pytest.mark.parametrize(
    ('script', 'usage'),
    [
        ('dist_train.sh', 'tools/dist_train.sh CONFIG PROCESSES'),
        ('dist_test.sh', 'tools/dist_test.sh CONFIG CHECKPOINT PROCESSES'),
        ('slurm_train.sh', 'tools/slurm_train.sh PARTITION JOB_NAME CONFIG'),
    ],
)
def test_scripts_say_how_they_are_used(call, script, usage):
    _, said, status = call(script)
    assert status == 2
    assert usage in said


SEVERAL = {'NNODES': '2', 'MASTER_ADDR': 'first'}
DIST = [('dist_train.sh', ['r.py', '2']), ('dist_test.sh', ['r.py', 'e.pth', '2'])]


@pytest.mark.parametrize(('script', 'words'), DIST)
@pytest.mark.parametrize(
    ('environment', 'address'),
    [
        ({}, '127.0.0.1:0'),  # a free port: two jobs fit on one machine
        ({'PORT': '4711'}, '127.0.0.1:4711'),
        ({**SEVERAL, 'JOB_ID': 'a'}, 'first:29500'),
        ({**SEVERAL, 'JOB_ID': 'a', 'PORT': '4711'}, 'first:4711'),
    ],
)
def test_the_port(call, script, words, environment, address):
    given, _, status = call(script, *words, **environment)
    assert status == 0
    assert f'--rdzv-endpoint={address}' in given
    assert f'--nnodes={environment.get("NNODES", "1")}' in given


@pytest.mark.parametrize(('script', 'words'), DIST)
def test_several_machines_need_an_address(call, script, words):
    _, said, status = call(script, *words, NNODES='2')
    assert status != 0
    assert 'MASTER_ADDR: is not set. Fix: the name of the first of the 2' in said


def test_a_training_on_several_machines_needs_an_id(call):
    _, usage, _ = call('dist_train.sh')
    assert 'JOB_ID' in usage
    _, said, status = call('dist_train.sh', 'r.py', '2', **SEVERAL)
    assert status != 0
    assert 'JOB_ID: is not set. Fix: one word for this job on all 2 machines' in said
    given, _, _ = call('dist_train.sh', 'r.py', '2', **SEVERAL, JOB_ID='faces_1')
    assert '--rdzv-id=faces_1' in given


def test_dist_train_hands_on_its_command(call):
    words, said, _ = call('dist_train.sh', 'r.py', '3', '--cfg-options', 'a=[1, 2]')
    assert words[-5:] == ['r.py', '--launcher', 'pytorch', '--cfg-options', 'a=[1, 2]']
    command = said.split('command: ')[1]
    assert shlex.split(command)[1:] == ['r.py', '3', '--cfg-options', 'a=[1, 2]']


def test_slurm_with_srun(call):
    words, said, _ = call('slurm_train.sh', 'gpu', 'eac', 'r.py', '--amp', GPUS='2')
    assert words[:5] == [
        'srun',
        '--partition=gpu',
        '--job-name=eac',
        '--gres=gpu:2',
        '--ntasks=2',
    ]
    assert '--signal=USR1@120' in words
    assert words[-4:] == ['r.py', '--launcher', 'slurm', '--amp']
    command = shlex.split(said.split('command: ')[1])
    assert command[:3] == ['GPUS=2', 'GPUS_PER_NODE=2', 'CPUS_PER_TASK=5']
    assert command[-4:] == ['gpu', 'eac', 'r.py', '--amp']


@pytest.mark.parametrize('status', [0, 1, 138, 143])
def test_a_batch_job_is_requeued_when_its_time_is_up(call, tmp_path, status):
    words, _, ended = call(
        'slurm_train.sh',
        'gpu',
        'eac',
        'my recipe.py',
        '--cfg-options',
        'a=$b',
        BATCH='1',
        STATUS=str(status),
        SIGNAL_SECONDS='60',
        SBATCH_ARGS='--time=4:00:00 --mem=1G',
        SLURM_JOB_ID='17',
    )
    asked = (tmp_path / 'asked').read_text().split()
    assert {'--requeue', '--signal=USR1@60', '--time=4:00:00', '--mem=1G'} < set(asked)
    assert '--open-mode=append' in asked and '--partition=gpu' in asked
    started = [words[i] for i in (0, 1, 2)]
    assert started == ['srun', '--cpus-per-task=5', '--kill-on-bad-exit=1']
    requeued = ['scontrol', 'requeue', '17'] if status == 138 else []
    train = ['my recipe.py', '--launcher', 'slurm', '--cfg-options', 'a=$b']
    assert words[-len(train + requeued) :] == train + requeued
    assert ended == status
