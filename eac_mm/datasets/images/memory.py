"""How much memory is free, asked before much of it is taken."""

import os
import shutil
from pathlib import Path

import psutil
import torch

CGROUP = Path('/sys/fs/cgroup')
SHARED = Path('/dev/shm')
GB = 1e9


def free_memory() -> int:
    """Return the free bytes of this machine, or of its container if it has fewer."""
    free = psutil.virtual_memory().available
    try:
        limit = int((CGROUP / 'memory.max').read_text())
        used = int((CGROUP / 'memory.current').read_text())
        lines = (CGROUP / 'memory.stat').read_text().splitlines()
        # The kernel gives the cache of files back when memory is needed.
        files = int(dict(line.split() for line in lines)['inactive_file'])
    except (OSError, KeyError, ValueError):  # no container, or 'max': no limit
        return free
    return min(free, limit - used + files)


def free_shared_memory() -> int:
    """Return the free bytes that processes can share; a container may have few."""
    if not SHARED.is_dir():
        return free_memory()
    return min(free_memory(), shutil.disk_usage(SHARED).free)


def free_on(device: torch.device) -> int:
    """Return the free bytes of a device: a GPU's own memory, else the machine's."""
    if device.type == 'cuda':
        return torch.cuda.mem_get_info(device)[0]
    return free_memory()


def require_room(need: int, free: int, where: str, fix: str = '') -> None:
    """Refuse to take more memory than is free.

    Args:
        need: Bytes that one process will take. Each process of this job on this
            machine takes as much.
        free: Bytes that are free.
        where: Which memory it is, for the message.
        fix: What to do first, for the message. Defaults to nothing.

    Raises:
        MemoryError: With both figures, if it does not fit.
    """
    slurm = os.environ.get('SLURM_NTASKS_PER_NODE', 1)
    processes = int(os.environ.get('LOCAL_WORLD_SIZE', slurm))
    if where.startswith('cuda'):  # each process has a GPU of its own
        processes = 1
    if need * processes > free:
        each = f' ({processes} processes, {need / GB:.2f} GB each)'
        raise MemoryError(
            f'the images need {need * processes / GB:.2f} GB'
            f'{each if processes > 1 else ""} and {free / GB:.2f} GB are free in '
            f'{where}. Fix: {f"{fix}, " if fix else ""}fewer images (indices), a '
            'smaller Resize in the pipeline, or --cache none.'
        )
