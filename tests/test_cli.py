"""The command ``eac-mm``."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # where a clone is not installed
import eac_mm_cli  # noqa: E402

HEAVY = ('cv2', 'matplotlib', 'mmengine', 'mmpretrain', 'numpy', 'pandas', 'torch')
ASK_ALL = """
import contextlib, io, json, sys
import eac_mm_cli
said = {}
for verb in ['', *eac_mm_cli.VERBS]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        eac_mm_cli.main([*verb.split(), '--help'])
    said[verb] = out.getvalue()
heavy = [name for name in sys.argv[1:] if name in sys.modules]
print(json.dumps(dict(said=said, heavy=heavy)))
"""


@pytest.fixture(autouse=True)
def process(monkeypatch):
    """Give back the words of the process and its environment."""
    monkeypatch.setattr(sys, 'argv', list(sys.argv))
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setenv('EAC_MM_COMMAND', '')


def test_help_of_every_verb_is_light_and_has_an_example():
    done = subprocess.run(
        [sys.executable, '-c', ASK_ALL, *HEAVY],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer['heavy'] == []
    overview = answer['said'].pop('')
    assert len(answer['said']) >= 12
    for verb, said in answer['said'].items():
        assert f'usage: eac-mm {verb} ' in said
        assert f'example: eac-mm {verb}' in said, verb
        assert f'\n  {verb} ' in overview


def test_overview_says_what_a_verb_does():
    assert 'train              Train a model from a config.' in eac_mm_cli.overview()


@pytest.mark.parametrize(
    ('word', 'fix'),
    [
        ('tran', 'Fix: eac-mm train.'),
        ('convert', 'eac-mm convert ferplus or eac-mm convert weights or eac-mm'),
    ],
)
def test_an_unknown_verb(word, fix, capsys):
    assert eac_mm_cli.main([word, 'x']) == 2
    said = capsys.readouterr().err
    assert f'no verb {word!r}' in said and fix in said


def test_version(capsys):
    from eac_mm.version import __version__

    assert eac_mm_cli.main(['--version']) == 0
    assert capsys.readouterr().out.strip() == __version__


def run_with(monkeypatch, main):
    monkeypatch.setattr(eac_mm_cli, 'load', lambda verb: main)
    return eac_mm_cli.main(['train', 'a b.py', '--seed', '1'])


def test_what_a_script_is_told(monkeypatch):
    seen = []

    def script():
        seen.extend([sys.argv, os.environ['EAC_MM_COMMAND']])
        return dict(metrics=1)  # no exit status

    assert run_with(monkeypatch, script) == 0
    assert seen[0] == ['eac-mm train', 'a b.py', '--seed', '1']
    assert seen[1] == "eac-mm train 'a b.py' --seed 1"


def fail(error):
    def script():
        raise error

    return script


def test_exit_status(monkeypatch, capsys):
    assert run_with(monkeypatch, lambda: 1) == 1
    mistake = ValueError('seed -1 is negative. Fix: give 0 or more.')
    assert run_with(monkeypatch, fail(mistake)) == 2
    assert capsys.readouterr().err == f'error: {mistake}\n'
    with pytest.raises(ValueError, match='a defect'):  # with its traceback
        run_with(monkeypatch, fail(ValueError('a defect')))


CODE = """
import sys, eac_mm_cli
def script():
    print('half a result')
    raise {error}
sys.exit(eac_mm_cli.run(script))
"""


@pytest.mark.parametrize(
    ('error', 'status', 'said'),
    [
        ("ValueError('no. Fix: yes.')", 2, 'half a result\nerror: no. Fix: yes.\n'),
        # of the signal itself: a status of 130 lets a loop of a shell go on
        ('KeyboardInterrupt', -signal.SIGINT, 'half a result\n'),
    ],
)
def test_the_end_of_a_process(error, status, said):
    command = [sys.executable, '-c', CODE.format(error=error)]
    environment = {k: v for k, v in os.environ.items() if k != 'PYTHONUNBUFFERED'}
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout) == (status, said)


def test_a_script_finds_its_neighbours():
    assert eac_mm_cli.load('benchmark').__module__ == 'eac_mm_tool_benchmark'
    assert Path(sys.path[0]) == eac_mm_cli.TOOLS / 'benchmark'
