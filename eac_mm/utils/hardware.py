"""What this machine is, and how PyTorch uses its CPU and memory."""

import ctypes
import functools
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import psutil
import torch

# Parameters of glibc's mallopt, from its malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4

STATUS = Path('/proc/self/status')
CPUINFO = Path('/proc/cpuinfo')
# What decides how fast a CPU multiplies, best first; its flags on x86 and ARM.
INSTRUCTIONS = ('amx_bf16', 'avx512_bf16', 'avx512f', 'avx2', 'bf16', 'asimd')
# Those that multiply bfloat16, on x86 and ARM (bf16). AVX2, AVX-512 alone and
# avx_ne_convert only convert it, and multiply float32.
BFLOAT16_UNITS = ('amx_bf16', 'avx512_bf16', 'bf16')
GPUS = """
import torch
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
print(', '.join(f'{names.count(name)} x {name}' for name in sorted(set(names))))
"""


def keep_freed_memory() -> bool:
    """Make this process keep the memory that it frees, and use it again.

    glibc returns every block above 32 MB to the system as soon as it is freed.
    Feature maps and batches of images are often larger, and each step would map,
    zero and fault them in again, page by page. With this setting the process stays
    at its peak of memory. Forked processes inherit it, and it cannot be undone.
    Blocks that a thread other than the main one asks for may still be returned.

    For scripts: it changes the whole process.

    Returns:
        Whether it was done: only glibc has this setting.
    """
    if sys.platform != 'linux':
        return False
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1))


def flags() -> frozenset[str]:
    """Return the names of the CPU's instruction sets, as Linux spells them.

    On other systems PyTorch says what it can, if it knows, else the set is empty.
    """
    if CPUINFO.is_file():
        return frozenset(CPUINFO.read_text().split())
    ask = getattr(torch.cpu, 'get_capabilities', dict)
    names = [name for name, value in ask().items() if value is True]
    return frozenset('avx512f' if name == 'avx512_f' else name for name in names)


def bfloat16_unit() -> str | None:
    """Name the instructions by which PyTorch multiplies bfloat16 on this CPU.

    None if the CPU has none of :data:`BFLOAT16_UNITS`, or PyTorch was built without
    the kernels that use them. bfloat16 is then emulated, in 2.4 times the time of
    float32 (measured with AVX-512) or more (AVX2).
    """
    kernels = (
        torch.backends.mkldnn.is_available()
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    found = flags() if kernels else frozenset()
    return next((name for name in BFLOAT16_UNITS if name in found), None)


@functools.cache
def has_fast_bfloat16() -> bool:
    """Return whether bfloat16 is worth its while on this CPU.

    See :func:`bfloat16_unit`. Decided once: it is asked at every step.
    """
    return bfloat16_unit() is not None


def instructions() -> str:
    """Name the best of :data:`INSTRUCTIONS` of this CPU, else its architecture."""
    found = flags()
    return next((name for name in INSTRUCTIONS if name in found), platform.machine())


@functools.cache
def describe() -> str:
    """Name the CPU, GPUs and PyTorch of this machine, in one line."""
    text = CPUINFO.read_text() if CPUINFO.is_file() else ''
    model = re.search(r'model name\s*:\s*(.+)', text)
    name = model[1].strip() if model else platform.processor() or platform.machine()
    affinity = getattr(os, 'sched_getaffinity', None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    count = f'{cores} {"core" if cores == 1 else "cores"}'
    parts = [f'{name} ({instructions()}), {count}']
    if torch.cuda.is_available():
        # In a process of its own: the question allocates memory on a GPU.
        command = [sys.executable, '-c', GPUS]
        answer = subprocess.run(command, capture_output=True, text=True)
        parts.append(answer.stdout.strip() or 'a GPU')
    return '; '.join([*parts, f'torch {torch.__version__}'])


def peak_memory() -> int | None:
    """Return the most bytes that this process has held: the GPU's, else its own.

    None on systems that do not tell (macOS).
    """
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    known = own_memory('VmHWM')
    if known is not None:
        return known
    return getattr(psutil.Process().memory_info(), 'peak_wset', None)  # Windows


def own_memory(key: str) -> int | None:
    """Return resident bytes of this process as Linux tells them, None if it does not.

    Args:
        key: ``'VmRSS'`` for now, ``'VmHWM'`` for the most so far.
    """
    text = STATUS.read_text() if STATUS.is_file() else ''
    found = re.search(rf'{key}:\s*(\d+) kB', text)
    return 1024 * int(found[1]) if found else None
