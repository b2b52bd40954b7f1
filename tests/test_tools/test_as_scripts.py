"""Every tool, run as a script: light help, and errors without a traceback."""

import argparse
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = sorted(
    path for path in ROOT.glob('tools/**/*.py') if '__main__' in path.read_text('utf-8')
)
HEAVY = ('cv2', 'matplotlib', 'mmengine', 'mmpretrain', 'numpy', 'pandas', 'torch')
ASK = """
import runpy, sys
path, *heavy = sys.argv[1:]
sys.argv = [path, '--help']
try:
    runpy.run_path(path, run_name='__main__')
except SystemExit as end:
    loaded = [name for name in heavy if name in sys.modules]
    sys.exit(f'imported: {loaded}' if loaded else end.code)
"""


def test_all_tools_are_found():
    names = {path.name for path in TOOLS}
    assert {'train.py', 'test.py', 'reproduce.py', 'benchmark.py'} <= names


@pytest.mark.parametrize('tool', TOOLS, ids=lambda p: str(p.relative_to(ROOT)))
def test_help_is_light(tool):
    command = [sys.executable, '-c', ASK, str(tool), *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tool.parent)
    assert (done.returncode, done.stderr) == (0, '')
    assert 'usage:' in done.stdout


def end(monkeypatch, tool, words=()):
    """Run a tool, which ends with an error of its own, and return its exit status."""
    monkeypatch.setattr('sys.argv', [str(tool), *words])
    monkeypatch.syspath_prepend(tool.parent)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(tool), run_name='__main__')
    return ended.value.code


@pytest.mark.parametrize('tool', TOOLS, ids=lambda p: str(p.relative_to(ROOT)))
def test_an_error_with_a_fix_has_no_traceback(monkeypatch, capsys, tool):
    def parse_args(*_, **__):
        raise ValueError('seed -1 is negative. Fix: give 0 or more.')

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse_args)
    assert end(monkeypatch, tool) == 2
    said = capsys.readouterr()
    assert said.err == 'error: seed -1 is negative. Fix: give 0 or more.\n'


@pytest.mark.parametrize(
    ('tool', 'words'),
    [
        ('predict.py', ['nothing.pth', 'photo.jpg']),
        ('export.py', ['nothing.pth', 'model.onnx']),
        ('test.py', ['nothing.py', 'epoch_1.pth']),
        ('visualize.py', ['losses', 'a/run', 'b/run']),
    ],
)
def test_a_wrong_argument_reaches_the_script(monkeypatch, capsys, tool, words):
    assert end(monkeypatch, ROOT / 'tools' / tool, words) == 2
    said = capsys.readouterr().err
    assert said.startswith('error: ') and 'Fix: ' in said
