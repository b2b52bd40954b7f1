import runpy
from pathlib import Path

import cv2
import pytest
from pictures import astronaut, coffee

TOOL = Path(__file__).parents[2] / 'tools' / 'align_faces.py'


@pytest.fixture
def align():
    return runpy.run_path(str(TOOL))['main']


def test_align_and_measure(align, tmp_path, capsys):
    source, target = tmp_path / 'photos', tmp_path / 'aligned'
    source.mkdir()
    cv2.imwrite(str(source / 'a.png'), astronaut())
    assert align([str(source), str(target), '--size', '64']) == 0
    shown = capsys.readouterr()
    assert '1 images: 1 ok; 1 written' in shown.out and '1/1' in shown.err
    assert "'size': 64" in shown.out
    assert cv2.imread(str(target / 'a.png')).shape == (64, 64, 3)
    cv2.imwrite(str(source / 'b.png'), coffee())
    assert align([str(source), str(target), '--size', '64']) == 1
    assert 'left out: b.png: no_face' in capsys.readouterr().out
    assert align([str(source), '--measure']) == 0
    assert 'faces in 1 images' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['a'], 'give a TARGET, or --measure'),
        (['a', 'b', '--measure'], 'give a TARGET, or --measure'),
        (['a', 'b', '--size', '8'], '--size 8: give 16 or more'),
        (['a', 'b', '--detector', 'none'], 'finds no faces'),
    ],
)
def test_arguments_that_are_refused(align, capsys, words, message):
    with pytest.raises(SystemExit) as end:
        align(words)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_what_cannot_start(align, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nix does not exist.* Fix: '):
        align([str(tmp_path / 'nix'), str(tmp_path / 'a')])
