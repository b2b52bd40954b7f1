import runpy
from pathlib import Path

import pytest

from eac_mm.apis import export

TOOL = Path(__file__).parents[2] / 'tools' / 'export.py'


def test_what_cannot_start(tmp_path):
    main = runpy.run_path(str(TOOL))['main']
    with pytest.raises(FileNotFoundError, match=r"model '.*nix\.pth' .*Fix: "):
        main([str(tmp_path / 'nix.pth'), str(tmp_path / 'a.onnx')])


def test_what_it_says(tmp_path, capsys, monkeypatch):
    from trained import save_checkpoint

    monkeypatch.setattr(export, 'write_onnx', lambda *args: None)
    monkeypatch.setattr(export, 'largest_difference', lambda *args: 3e-7)
    monkeypatch.setattr(export, 'compare_speed', lambda *args: {1: (100.4, 2000)})
    main = runpy.run_path(str(TOOL))['main']
    checkpoint = save_checkpoint(tmp_path / 'epoch_1.pth')
    main([str(checkpoint), str(tmp_path / 'a.onnx'), '--speed'])
    shown = capsys.readouterr().out
    assert '7 classes, 48 px; onnxruntime and PyTorch differ by 3.0e-07' in shown
    assert 'PyTorch 100 images a second, onnxruntime 2,000' in shown
