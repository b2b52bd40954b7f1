import re
import runpy
from pathlib import Path

import cv2
import pytest
from pictures import astronaut
from trained import save_checkpoint

TOOL = Path(__file__).parents[2] / 'tools' / 'predict.py'


@pytest.fixture
def predict(tmp_path):
    model = save_checkpoint(tmp_path / 'run' / 'epoch_1.pth').parent
    cv2.imwrite(str(tmp_path / 'a.png'), astronaut())
    out = ['--out', str(tmp_path / 'out')]
    main = runpy.run_path(str(TOOL))['main']

    def run(*words, model=model):
        return main([str(model), *map(str, words), *out])

    return run


def test_exit_status_and_summary(predict, tmp_path, capsys):
    assert predict(tmp_path / 'a.png') == 0
    shown = capsys.readouterr()
    assert 'faces: 1: 1 ' in shown.out and 'results: ' in shown.out
    assert '1/1' in shown.err
    assert predict(tmp_path / 'a.png', tmp_path / 'b.png', '--overwrite') == 1
    assert 'b.png: the file does not exist' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--threshold', '2'], 'threshold=2.0'),
        (['--detector', 'haar'], "detector='haar' is unknown"),
        (['--smoothing', '1'], 'smoothing by 1.0'),
    ],
)
def test_what_cannot_start(predict, tmp_path, words, message):
    with pytest.raises(ValueError, match=f'{re.escape(message)}.*Fix: '):
        predict(tmp_path / 'a.png', *words)


def test_a_model_that_is_not_there(predict, tmp_path):
    with pytest.raises(FileNotFoundError, match="model 'nix' .*Fix: "):
        predict(tmp_path / 'a.png', model='nix')


def test_an_earlier_prediction_is_kept(predict, tmp_path):
    assert predict(tmp_path / 'a.png') == 0
    with pytest.raises(ValueError, match=r'holds a prediction\. Fix: another --out'):
        predict(tmp_path / 'a.png')
