import pytest

from eac_mm.deploy import MTCNN, build_detector


def test_names():
    assert build_detector('none') is None
    assert isinstance(build_detector('mtcnn'), MTCNN)
    with pytest.raises(ValueError, match=r"detector='haar' is unknown. Fix: choose"):
        build_detector('haar')
    with pytest.raises(FileNotFoundError, match=r'yunet.onnx does not exist.*Fix:'):
        build_detector('yunet.onnx')
