from types import SimpleNamespace

import pytest
import torch

from eac_mm.datasets.images import memory


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 8,000 kB free, in no container."""
    free = SimpleNamespace(available=8000 * 1024)
    monkeypatch.setattr(memory.psutil, 'virtual_memory', lambda: free)
    monkeypatch.setattr(memory, 'CGROUP', tmp_path)
    return tmp_path


def limit(machine, most, used=3_000_000, files=1_000_000):
    (machine / 'memory.max').write_text(f'{most}\n')
    (machine / 'memory.current').write_text(f'{used}\n')
    (machine / 'memory.stat').write_text(f'anon 5\ninactive_file {files}\n')


def test_free_memory(machine):
    assert memory.free_memory() == 8000 * 1024


@pytest.mark.parametrize(
    ('most', 'free'),
    [(5_000_000, 3_000_000), (50_000_000, 8000 * 1024), ('max', 8000 * 1024)],
)
def test_the_container_has_less(machine, most, free):
    limit(machine, most)
    assert memory.free_memory() == free


def test_shared_memory_is_no_more_than_memory(machine, monkeypatch):
    monkeypatch.setattr(memory, 'SHARED', machine)
    assert memory.free_shared_memory() == 8000 * 1024
    disk = SimpleNamespace(free=70)
    monkeypatch.setattr(memory.shutil, 'disk_usage', lambda folder: disk)
    assert memory.free_shared_memory() == 70
    monkeypatch.setattr(memory, 'SHARED', machine / 'none')
    assert memory.free_shared_memory() == 8000 * 1024


def test_the_cpu_has_the_memory_of_the_machine(machine):
    assert memory.free_on(torch.device('cpu')) == 8000 * 1024


def test_a_gpu_has_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'mem_get_info', lambda device: (5, 80))
    assert memory.free_on(torch.device('cuda', 0)) == 5


def test_require_room(monkeypatch):
    monkeypatch.delenv('LOCAL_WORLD_SIZE', raising=False)
    memory.require_room(10, 10, 'memory')
    with pytest.raises(
        MemoryError, match=r'need 1.85 GB and 0.90 GB are free in memory. Fix: x, fewer'
    ):
        memory.require_room(1_850_000_000, 900_000_000, 'memory', 'x')


def test_every_process_takes_as_much(monkeypatch):
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '4')
    memory.require_room(10, 10, 'cuda:0 memory')  # each has its own GPU
    with pytest.raises(MemoryError, match=r'need 4.00 GB \(4 processes, 1.00 GB each'):
        memory.require_room(10**9, 3 * 10**9, 'cpu memory')
