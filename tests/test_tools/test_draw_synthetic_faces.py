"""tools/visualizations/draw_synthetic_faces.py draws a sheet, and no page's picture."""

import importlib.util
from pathlib import Path

import cv2

SCRIPT = Path(__file__).parents[2] / 'tools/visualizations/draw_synthetic_faces.py'


def test_a_sheet(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location('draw_synthetic_faces', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    picture = tmp_path / 'work_dirs/figures/synthetic_faces.png'
    shapes = []
    for people in (2, 3):
        module.main(['--people', str(people), '--img-size', '32'])
        assert [p for p in tmp_path.rglob('*') if p.is_file()] == [picture]
        shapes.append(cv2.imread(str(picture)).shape)
    (height, width, _), wider = shapes
    assert height == 7 * 32  # a row for each class
    assert wider == (height, width + 32, 3)
