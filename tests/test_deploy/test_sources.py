import cv2
import numpy as np
import pytest

from eac_mm.deploy.sources import Frames, Source, list_sources
from eac_mm.utils.image_formats import UnreadableImage


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ('b.jpg', 'a.png', 'deep/c.png', 'film.mp4', 'note.txt', '._a.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kinds(words):
    return [(source.name, source.kind) for source in list_sources(words)[0]]


def test_words(folder):
    assert kinds(['.']) == [(n, 'picture') for n in ('a.png', 'b.jpg', 'deep/c.png')]
    assert kinds(['*.png']) == [('a.png', 'picture')]
    assert kinds(['**/*.png']) == [('a.png', 'picture'), ('deep/c.png', 'picture')]
    assert kinds(['film.mp4', 'b.jpg']) == [('film.mp4', 'video'), ('b.jpg', 'picture')]
    assert kinds(['missing.jpg']) == [('missing.jpg', 'picture')]
    assert list_sources(['3'])[0] == [Source('camera 3', 3, 'camera')]
    left_out = list_sources(['.'])[1]
    assert "1 with the ending '.txt'" in left_out and 'film.mp4' in left_out


def test_names_that_look_like_something_else(folder):
    (folder / '3').mkdir()
    (folder / '3' / 'x.png').touch()
    (folder / '[1].png').touch()
    assert kinds(['3']) == [('3/x.png', 'picture')]
    assert kinds(['[1].png']) == [('[1].png', 'picture')]


@pytest.mark.parametrize('word', ['*.gif', 'empty'])
def test_nothing(folder, word):
    (folder / 'empty').mkdir()
    with pytest.raises(ValueError, match=r'no picture is there.*Fix: name a picture'):
        list_sources([word])


def test_frames_of_a_video(tmp_path):
    path = tmp_path / 'a.mp4'
    code = cv2.VideoWriter.fourcc(*'mp4v')
    writer = cv2.VideoWriter(str(path), code, 12.5, (64, 48))
    for level in (0, 100, 200):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    frames = Frames(Source('a', path, 'video'))
    assert (frames.rate, frames.total) == (12.5, 3)
    shown = list(frames)
    assert [frame.shape for frame in shown] == [(48, 64, 3)] * 3
    assert np.abs([f.mean() for f in shown] - np.array([0, 100, 200])).max() < 4


@pytest.mark.parametrize(
    ('source', 'reason'),
    [
        (Source('a', 'none.mp4', 'video'), 'does not exist'),
        (Source('a', __file__, 'video'), 'OpenCV cannot read it as a video'),
        (Source('camera 99', 99, 'camera'), 'OpenCV finds no camera 99'),
    ],
)
def test_no_frames(source, reason):
    with pytest.raises(UnreadableImage, match=reason):
        Frames(source)


def test_a_video_without_frames(monkeypatch, tmp_path):
    class Empty:
        def isOpened(self):
            return True

        def get(self, what):
            return float('nan') if what == cv2.CAP_PROP_FPS else 0.0

        def read(self):
            return False, None

        def release(self):
            pass

    monkeypatch.setattr(cv2, 'VideoCapture', lambda target: Empty())
    frames = Frames(Source('a', __file__, 'video'))
    assert (frames.rate, frames.total) == (25, None)
    with pytest.raises(UnreadableImage, match='it has no frame'):
        list(frames)
