"""From a checkpoint to an ONNX file, and to its use without this package."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from trained import save_checkpoint

from eac_mm.apis import ExpressionPredictor, export, load_model
from eac_mm.apis.export import compare_speed, export_onnx
from eac_mm.datasets.synthetic.faces import draw_face

EXAMPLE = Path(__file__).parents[2] / 'docs' / 'examples' / 'predict_onnx.py'
# The example in a Python that has neither this package nor PyTorch.
ALONE = """
import runpy, sys
for name in ('torch', 'eac_mm', 'mmengine', 'mmpretrain', 'mmcv'):
    sys.modules[name] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    path = save_checkpoint(
        tmp_path_factory.mktemp('model') / 'epoch_1.pth', temperature=1.5
    )
    return load_model(path, device='cpu')


@pytest.fixture(scope='module', params=[True, False], ids=['inside', 'outside'])
def exported(request, model, tmp_path_factory):
    """A file with preprocessing or without, and how far it is from PyTorch."""
    path = tmp_path_factory.mktemp('onnx') / 'model.onnx'
    return path, export_onnx(model, path, preprocess=request.param), request.param


def run(*words):
    command = [sys.executable, '-c', ALONE, str(EXAMPLE), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_example_predicts_what_the_predictor_does(model, exported, tmp_path):
    path, difference, _ = exported
    assert difference < 1e-5
    pictures = [tmp_path / f'{i}.png' for i in range(3)]
    for i, picture in enumerate(pictures):
        cv2.imwrite(str(picture), draw_face(i, 0, i, 64))
    done = run(path, *pictures)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    expected = ExpressionPredictor(model, detector='none')(pictures)
    for line, (face,) in zip(lines, expected, strict=True):
        shares = {name: float(p) for name, p in re.findall(r'(\w+)=([\d.]+)', line)}
        found = [shares[name] for name in model.classes]
        assert found == pytest.approx(face.pred_score.tolist(), abs=1e-4)
        assert line.split()[1].startswith(f'{face.expression}=')  # the likeliest first


def test_speed(model, exported):
    path, _, preprocess = exported
    found = compare_speed(model, path, preprocess)
    assert set(found) == {1, 32}
    assert all(rate > 0 for rates in found.values() for rate in rates)


def test_a_file_that_differs_is_not_kept(model, tmp_path, monkeypatch):
    def write(module, path, *rest):
        path.write_bytes(b'file')

    monkeypatch.setattr(export, 'write_onnx', write)
    monkeypatch.setattr(export, 'largest_difference', lambda *args: 2e-5)
    with pytest.raises(ValueError, match=r'differ by 2.0e-05.*was removed. Fix'):
        export_onnx(model, tmp_path / 'a.onnx')
    assert not (tmp_path / 'a.onnx').exists()
    with pytest.raises(ValueError, match=r'a.pt: not an .onnx file'):
        export_onnx(model, tmp_path / 'a.pt')


def test_the_example_refuses_other_files(tmp_path):
    import onnx
    from onnx import TensorProto, helper

    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in 'xy']
    node = helper.make_node('Identity', ['x'], ['y'])
    graph = helper.make_graph([node], 'other', value[:1], value[1:])
    opset = [helper.make_opsetid('', 18)]
    other = helper.make_model(graph, opset_imports=opset, ir_version=10)
    onnx.save(other, str(tmp_path / 'other.onnx'))
    done = run(tmp_path / 'other.onnx', 'a.png')
    assert done.returncode == 1
    assert 'was not written by tools/export.py' in done.stderr


def test_onnx_files_are_no_checkpoints(exported):
    with pytest.raises(ValueError, match=r'is an ONNX file.*Fix: run it by'):
        load_model(exported[0])
