"""Memory and bfloat16 where a CPU trains."""

import ctypes
import functools
import sys

import torch

# Parameters of glibc's mallopt, from its malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees, to use it again.

    glibc gives every block above 32 MB back to the system as soon as it is freed.
    Feature maps and batches of images are often larger, and each step would have
    them mapped, zeroed and faulted in anew, page by page. Kept, memory stays
    resident at its peak. Processes forked from here do the same; it cannot be
    undone. Blocks that a thread other than the main one asks for may still be
    given back.

    Returns:
        Whether it was done: elsewhere than in glibc there is no such setting.
    """
    if sys.platform != 'linux':
        return False
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1))


@functools.cache
def has_bfloat16_convolutions() -> bool:
    """Whether PyTorch has kernels for convolutions in bfloat16 on this CPU.

    Without them (no AVX-512, as on AMD before Zen 4) it falls back to code that
    takes several times as long as float32. With them, how much is gained depends
    on the CPU: avx512_bf16 and AMX multiply bfloat16, AVX-512 alone emulates it.
    """
    return (
        torch.backends.mkldnn.is_available()
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
