import functools
import os
import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from eac_mm.utils import hardware

# Writes 128 MB again and again and prints how many pages that costs; with memory kept
# in a thread, and twice in the main one, where small blocks first come to lie between.
# Of the package this module alone: to import all of it takes seconds.
FAULTS = """
import resource, runpy, sys, threading, torch

def write():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for i in range(20):
        torch.empty(2**25).fill_(1)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

if sys.argv[1] == 'keep':
    print(runpy.run_path(sys.argv[2])['keep_freed_memory']())
    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    write()
write()
"""


@functools.cache
def faults(how):
    command = [sys.executable, '-c', FAULTS, how, hardware.__file__]
    # Another allocator, or settings of this one, would decide in its place.
    foreign = ('MALLOC_', 'GLIBC_TUNABLES', 'LD_PRELOAD')
    env = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return done.stdout.split()


glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != 'glibc', reason='the setting is that of glibc'
)


@glibc
def test_memory_is_kept():
    (lost,) = map(int, faults('lose'))
    assert lost >= 20 * 2**27 / 2**21  # each time, in pages of 2 MB at most
    said, _, first, second = faults('keep')
    assert said == 'True'
    assert int(first) < 3 / 4 * lost
    assert int(second) < lost / 20


@glibc
def test_a_thread_can_still_have_large_blocks():
    # Arenas of threads are small heaps; without mmap they must find another.
    said, in_thread, *_ = faults('keep')
    assert said == 'True' and in_thread.isdecimal()


def test_elsewhere_nothing_is_done(monkeypatch):
    monkeypatch.setattr(hardware.sys, 'platform', 'darwin')
    assert hardware.keep_freed_memory() is False
    monkeypatch.setattr(hardware.sys, 'platform', 'linux')
    monkeypatch.setattr(hardware.ctypes, 'CDLL', lambda name: object())  # musl
    assert hardware.keep_freed_memory() is False


# Flags of real CPUs, as Linux lists them, and what multiplies bfloat16 there.
AVX512 = 'flags : fpu avx2 avx512f avx512dq avx512bw avx512vl avx512_vnni'
CPUS = {
    'Zen 4': (f'{AVX512} avx512_bf16', 'avx512_bf16'),
    'Sapphire Rapids': (f'{AVX512} avx512_bf16 amx_bf16 amx_tile', 'amx_bf16'),
    'Cascade Lake': (AVX512, None),
    'Zen 3': ('flags : fpu avx avx2', None),
    'Sierra Forest': ('flags : fpu avx2 avx_ne_convert avx_vnni', None),
    'Graviton 3': ('Features : fp asimd sve svebf16 bf16', 'bf16'),
    'Graviton 2': ('Features : fp asimd', None),
}


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Pretend to be a machine with some flags, or without /proc if None."""

    def pretend(flags, kernels=True):
        path = tmp_path / 'cpuinfo'
        if flags is not None:
            path.write_text(flags)
        monkeypatch.setattr(hardware, 'CPUINFO', path)
        monkeypatch.setattr(torch.backends.mkldnn, 'is_available', lambda: kernels)
        ask = '_is_mkldnn_bf16_supported'
        monkeypatch.setattr(torch.ops.mkldnn, ask, lambda: True, raising=False)
        hardware.has_fast_bfloat16.cache_clear()

    yield pretend
    hardware.has_fast_bfloat16.cache_clear()


@pytest.mark.parametrize('cpu', CPUS)
def test_what_multiplies_bfloat16(cpu, machine):
    flags, unit = CPUS[cpu]
    machine(flags)
    assert hardware.bfloat16_unit() == unit
    assert hardware.has_fast_bfloat16() == (unit is not None)
    machine(flags, kernels=False)  # a PyTorch that was built without them
    assert hardware.bfloat16_unit() is None


@pytest.mark.parametrize(
    ('torch_says', 'unit', 'best'),
    [
        ({'architecture': 'arm64', 'bf16': True, 'l2_cache_size': 9}, 'bf16', 'bf16'),
        ({'bf16': False}, None, 'arm64'),
        ({'avx2': True, 'avx512_f': True, 'avx512_bf16': False}, None, 'avx512f'),
        (None, None, 'arm64'),  # an older PyTorch
    ],
)
def test_a_system_without_proc(torch_says, unit, best, machine, monkeypatch):
    machine(None)
    monkeypatch.setattr(hardware.platform, 'machine', lambda: 'arm64')
    if torch_says is None:
        monkeypatch.delattr(torch.cpu, 'get_capabilities', raising=False)
    else:
        ask = 'get_capabilities'
        monkeypatch.setattr(torch.cpu, ask, lambda: torch_says, raising=False)
    assert hardware.bfloat16_unit() == unit
    assert hardware.instructions() == best


def test_this_machine_has_kernels_if_it_has_the_instructions():
    unit = hardware.bfloat16_unit()
    assert unit is None or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    assert hardware.has_fast_bfloat16() == (unit is not None)


def test_this_machine_has_cores_and_a_torch():
    assert 'core' in hardware.describe()
    assert 'torch ' in hardware.describe()
    assert f'({hardware.instructions()})' in hardware.describe()


@pytest.mark.parametrize(
    ('flags', 'best'),
    [
        ('flags : fpu avx2 avx512f avx512_bf16', 'avx512_bf16'),
        ('flags : fpu avx2', 'avx2'),
        ('Features : fp asimd bf16', 'bf16'),
        ('', 'pdp11'),
    ],
)
def test_instructions(flags, best, tmp_path, monkeypatch):
    (tmp_path / 'cpuinfo').write_text(flags)
    monkeypatch.setattr(hardware, 'CPUINFO', tmp_path / 'cpuinfo')
    monkeypatch.setattr(hardware.platform, 'machine', lambda: 'pdp11')
    assert hardware.instructions() == best


@pytest.mark.skipif(torch.cuda.is_available(), reason='memory of the GPU is told')
def test_the_peak_of_memory(monkeypatch, tmp_path):
    status = tmp_path / 'status'
    monkeypatch.setattr(hardware, 'STATUS', status)
    status.write_text('VmPeak:\t  900 kB\nVmHWM:\t  512 kB\nVmRSS:\t  300 kB\n')
    assert hardware.peak_memory() == 512 * 1024
    status.unlink()  # as on Windows, where psutil tells, or macOS, where nothing does
    info = SimpleNamespace(peak_wset=7)
    process = SimpleNamespace(memory_info=lambda: info)
    monkeypatch.setattr(hardware.psutil, 'Process', lambda: process)
    assert hardware.peak_memory() == 7
    del info.peak_wset
    assert hardware.peak_memory() is None
