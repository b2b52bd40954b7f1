"""On what a run was made."""

import functools
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import torch

FILE = 'machine.txt'
CPUINFO = Path('/proc/cpuinfo')
# What decides how fast a CPU multiplies, best first; its flags on x86 and ARM.
INSTRUCTIONS = ('amx_bf16', 'avx512_bf16', 'avx512f', 'avx2', 'bf16', 'asimd')
GPUS = """
import torch
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
print(', '.join(f'{names.count(name)} x {name}' for name in sorted(set(names))))
"""


def instructions() -> str:
    """The best of :data:`INSTRUCTIONS` that this CPU has, else its architecture."""
    words = set(CPUINFO.read_text().split()) if CPUINFO.is_file() else set()
    known = (name for name in INSTRUCTIONS if name in words)
    return next(known, platform.machine())


@functools.cache
def describe() -> str:
    """CPU, GPUs and PyTorch of this machine, in a line."""
    text = CPUINFO.read_text() if CPUINFO.is_file() else ''
    model = re.search(r'model name\s*:\s*(.+)', text)
    name = model[1].strip() if model else platform.processor() or platform.machine()
    affinity = getattr(os, 'sched_getaffinity', None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    count = f'{cores} {"core" if cores == 1 else "cores"}'
    parts = [f'{name} ({instructions()}), {count}']
    if torch.cuda.is_available():
        # In a process of its own: asking takes hold of a GPU.
        command = [sys.executable, '-c', GPUS]
        answer = subprocess.run(command, capture_output=True, text=True)
        parts.append(answer.stdout.strip() or 'a GPU')
    return '; '.join([*parts, f'torch {torch.__version__}'])


def note(folder: Path) -> None:
    """Keep this machine in the folder of a run that starts or goes on here."""
    lines = noted(folder)
    if describe() not in lines:
        text = '\n'.join([*lines, describe()]) + '\n'
        (folder / FILE).write_text(text, encoding='utf-8')


def noted(folder: Path) -> list[str]:
    """The machines that a run was made on, none where nobody noted them."""
    path = folder / FILE
    return path.read_text(encoding='utf-8').splitlines() if path.is_file() else []
