import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from eac_mm.utils import hardware

# Writes 128 MB again and again and prints how many pages that costs.
FAULTS = """
import resource, sys, threading, torch
from eac_mm.utils.hardware import keep_freed_memory
if sys.argv[1] == 'keep':
    print(keep_freed_memory(), file=sys.stderr)

def write():
    global faults
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for i in range(20):
        torch.empty(2**25).fill_(1)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[2] == 'main':
    write()
else:
    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
print(faults)
"""


def faults(*arguments):
    command = [sys.executable, '-c', FAULTS, *arguments]
    # Another allocator, or settings of this one, would decide in its place.
    foreign = ('MALLOC_', 'GLIBC_TUNABLES', 'LD_PRELOAD')
    env = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return int(done.stdout), done.stderr.strip().splitlines()[-1:]


glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != 'glibc', reason='the setting is that of glibc'
)


@glibc
def test_memory_is_kept():
    lost, _ = faults('lose', 'main')
    assert lost >= 20 * 2**27 / 2**21  # each time, in pages of 2 MB at most
    kept, said = faults('keep', 'main')
    assert said == ['True']
    # Once, and once more where a small block has come to lie beside it.
    assert kept < lost / 4


@glibc
def test_a_thread_can_still_have_large_blocks():
    # Arenas of threads are small heaps; without mmap they must find another.
    assert faults('keep', 'thread')[1] == ['True']


def test_elsewhere_nothing_is_done(monkeypatch):
    monkeypatch.setattr(hardware.sys, 'platform', 'darwin')
    assert hardware.keep_freed_memory() is False
    monkeypatch.setattr(hardware.sys, 'platform', 'linux')
    monkeypatch.setattr(hardware.ctypes, 'CDLL', lambda name: object())  # musl
    assert hardware.keep_freed_memory() is False


@pytest.mark.skipif(
    platform.machine() != 'x86_64' or not Path('/proc/cpuinfo').is_file(),
    reason='reads the flags of an x86 processor',
)
def test_bfloat16_is_what_the_processor_says():
    flags = set(Path('/proc/cpuinfo').read_text().split())
    avx512 = {'avx512bw', 'avx512vl', 'avx512dq'} <= flags
    assert hardware.has_bfloat16_convolutions() == (avx512 or 'avx_ne_convert' in flags)


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
