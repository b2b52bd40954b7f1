"""Tell a job that torchrun or Slurm restarts from a new one."""

import json
import os
import socket
from pathlib import Path

from .files import write_atomically

MARK = '.restarts'
COUNTS = dict(torchrun='TORCHELASTIC_RESTART_COUNT', slurm='SLURM_RESTART_COUNT')
NO_ID = 'none'  # torchrun's --rdzv-id, if none is given


def mark_for_restarts(folder: str | Path) -> None:
    """Leave a mark of the job in its work directory, for its restarts."""
    jobs = _jobs()
    if jobs:
        write_atomically(Path(folder) / MARK, json.dumps(jobs).encode())


def restarted_in(folder: str | Path) -> bool:
    """Return whether this is a restart of a job that trained in a work directory.

    torchrun and Slurm repeat the command they were given. A job that was kept out of
    a folder must not resume the run in it at the second attempt, and one that failed
    before training has nothing to resume: only a job that left its mark does.
    """
    mark = Path(folder) / MARK
    if not mark.is_file():
        return False
    then, now = json.loads(mark.read_text()), _jobs()
    return any(
        name in now and now[name] == then.get(name)
        for name, count in COUNTS.items()
        if int(os.environ.get(count, 0)) > 0
    )


def _jobs() -> dict[str, str]:
    """Return what all processes of a job have in common, and no other job has.

    For torchrun on several machines that is the id alone (``JOB_ID`` of
    ``dist_train.sh``), unless it is the one that every job without an id has; on one,
    also the process that started them all.
    """
    jobs = {}
    if 'SLURM_JOB_ID' in os.environ:
        jobs['slurm'] = os.environ['SLURM_JOB_ID']
    if 'TORCHELASTIC_RUN_ID' in os.environ:
        jobs['torchrun'] = os.environ['TORCHELASTIC_RUN_ID']
        if os.environ.get('GROUP_WORLD_SIZE', '1') == '1':
            jobs['torchrun'] += f' {socket.gethostname()} {os.getppid()}'
        elif jobs['torchrun'] == NO_ID:
            del jobs['torchrun']
    return jobs
