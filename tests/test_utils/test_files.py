import os
import signal
import time

import pytest
from forked import Script

from eac_mm.utils import files


def test_write_atomically(tmp_path):
    path = tmp_path / 'new' / 'a.bin'
    files.write_atomically(path, b'one')
    files.write_atomically(path, b'two')
    assert path.read_bytes() == b'two'
    assert [p.name for p in path.parent.iterdir()] == ['a.bin']


@pytest.mark.parametrize('step', ['write', 'fsync', 'replace'])
def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / 'a.bin'
    files.write_atomically(path, b'old')

    def fail(*args):
        raise OSError(28, 'No space left on device')

    if step == 'write':
        monkeypatch.setattr('pathlib.Path.open', fail)
    elif step == 'fsync':
        monkeypatch.setattr(os, 'fsync', fail)
    else:
        monkeypatch.setattr('pathlib.Path.replace', fail)
    with pytest.raises(OSError, match='No space left'):
        files.write_atomically(path, b'new')
    monkeypatch.undo()
    assert path.read_bytes() == b'old'
    assert [p.name for p in tmp_path.iterdir()] == ['a.bin']


def test_a_full_file_system(tmp_path):
    """A limit on the size of files stands in: the kernel refuses the bytes."""
    script = tmp_path / 'limited.py'
    folder = tmp_path / 'folder'
    script.write_text(f"""
import resource, signal, sys
from eac_mm.utils.files import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
write_atomically({str(folder / 'a.bin')!r}, b'old')
try:
    write_atomically({str(folder / 'a.bin')!r}, b'x' * 1_000_000)
except OSError as error:
    print(type(error).__name__)
""")
    output, _ = Script([script], os.environ).communicate()
    assert output == 'OSError\n'
    assert (folder / 'a.bin').read_bytes() == b'old'
    assert [p.name for p in folder.iterdir()] == ['a.bin']


def test_kill_while_writing(tmp_path):
    """At any moment the name stands for one of the two contents, whole."""
    path = tmp_path / 'a.bin'
    script = tmp_path / 'write.py'
    script.write_text(f"""
from eac_mm.utils.files import write_atomically
print('ready', flush=True)
while True:
    for letter in b'ab':
        write_atomically({str(path)!r}, bytes([letter]) * 3_000_000)
""")
    for pause in (0.0, 0.01, 0.02, 0.05, 0.08):
        process = Script([script], os.environ)
        process.stdout.readline()
        while not path.exists():
            time.sleep(0.001)
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        content = path.read_bytes()
        assert len(content) == 3_000_000
        assert len(set(content)) == 1
    files.remove_parts(tmp_path)
    script.unlink()
    assert [p.name for p in tmp_path.iterdir()] == ['a.bin']
