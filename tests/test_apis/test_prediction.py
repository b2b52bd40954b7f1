"""The whole way: pictures and a video go in, files come out."""

import csv

import cv2
import numpy as np
import pytest
from pictures import astronaut, coffee, grace_hopper, rotate
from trained import save_checkpoint

from eac_mm.apis import ExpressionPredictor, load_model
from eac_mm.apis.prediction import Summary, predict_sources
from eac_mm.apis.prediction_files import PredictionFiles
from eac_mm.deploy import sources as sources_module
from eac_mm.deploy.sources import Source, list_sources


@pytest.fixture(scope='module')
def predictor(tmp_path_factory):
    path = save_checkpoint(tmp_path_factory.mktemp('model') / 'epoch_1.pth')
    return ExpressionPredictor(load_model(path))


@pytest.fixture
def run(tmp_path, predictor):
    """Predict sources; return the summary and the rows."""

    def run(sources, **options):
        out = tmp_path / 'out'
        with PredictionFiles(out, predictor.classes, overwrite=True) as files:
            summary = predict_sources(predictor, sources, files, **options)
        with (out / 'predictions.csv').open(newline='') as file:
            return summary, list(csv.DictReader(file))

    return run


def write_video(path, frames):
    height, width = frames[0].shape[:2]
    code = cv2.VideoWriter.fourcc(*'mp4v')
    writer = cv2.VideoWriter(str(path), code, 10, (width, height))
    for frame in frames:
        writer.write(frame)
    writer.release()


def test_pictures_with_bad_ones_between_them(run, tmp_path):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    (folder / '0.jpg').write_bytes(b'no picture')
    for number, picture in enumerate((astronaut(), coffee(), grace_hopper()), 1):
        cv2.imwrite(str(folder / f'{number}.png'), picture)
    done = []
    summary, rows = run(list_sources([str(folder)])[0], step=done.append)
    assert [row['status'] for row in rows] == ['unreadable', 'ok', 'no_face', 'ok']
    assert sum(done) == summary.pictures == 4
    assert list(summary.failed) == [str(folder / '0.jpg'), str(folder / '2.png')]
    assert summary.failed[str(folder / '2.png')] == 'no face was found'
    assert summary.expressions.total() == 2
    drawn = sorted((tmp_path / 'out' / 'annotated').iterdir())
    assert [path.name for path in drawn] == ['0001_1.jpg', '0002_3.jpg']
    picture = cv2.imread(str(drawn[0])).astype(int)
    changed = np.abs(picture - astronaut()).max(2) > 60
    left, top, right, bottom = (float(rows[1][s]) for s in sources_sides())
    assert changed[round(top) : round(bottom), round(left)].mean() > 0.9  # the box
    assert changed[300:].mean() < 0.01  # the rest of the picture


def sources_sides():
    return ('left', 'top', 'right', 'bottom')


def test_a_video_is_annotated_and_read_back(run, tmp_path):
    frames = [rotate(astronaut(), angle) for angle in (-10, 0, 10)]
    frames.insert(1, np.zeros_like(frames[0]))
    write_video(tmp_path / 'film.mp4', frames)
    summary, rows = run(list_sources([str(tmp_path / 'film.mp4')])[0])
    assert [row['frame'] for row in rows] == ['0', '1', '2', '3']
    assert [row['status'] for row in rows] == ['ok', 'no_face', 'ok', 'ok']
    rolls = [float(row['roll']) for row in rows if row['roll']]
    assert rolls[2] - rolls[0] == pytest.approx(20, abs=3)
    assert not summary.failed
    capture = cv2.VideoCapture(str(tmp_path / 'out/annotated/0001_film.mp4'))
    assert capture.get(cv2.CAP_PROP_FPS) == 10
    for frame, row in zip(frames, rows, strict=True):
        good, shown = capture.read()
        assert good
        changed = np.abs(shown.astype(int) - frame).max(2) > 60
        assert changed[250:].mean() < 0.02
        if row['left']:
            middle = round((float(row['top']) + float(row['bottom'])) / 2)
            assert changed[middle, round(float(row['left']))]
    assert not capture.read()[0]


def test_smoothing_over_frames(run, tmp_path, predictor):
    write_video(tmp_path / 'film.mp4', [astronaut(), astronaut() // 3])
    sources = list_sources([str(tmp_path / 'film.mp4')])[0]
    _, plain = run(sources, draw=False)
    _, smooth = run(sources, draw=False, smoothing=0.5)
    first, second = (
        np.array([[float(row[f'p_{n}']) for n in predictor.classes] for row in rows])
        for rows in (plain, smooth)
    )
    assert np.allclose(second[0], first[0], atol=1e-5)
    assert np.allclose(second[1], first.mean(0), atol=1e-5)


def test_videos_that_cannot_be_read(run, tmp_path):
    write_video(tmp_path / 'black.mp4', [np.zeros((64, 64, 3), np.uint8)])
    (tmp_path / 'bad.mp4').write_bytes(b'no video')
    names = [str(tmp_path / name) for name in ('bad.mp4', 'black.mp4', 'none.mp4')]
    summary, rows = run(list_sources(names)[0], draw=False)
    assert [row['status'] for row in rows] == ['unreadable', 'no_face', 'unreadable']
    assert list(summary.failed.values()) == [
        'OpenCV cannot read it as a video',
        'no face was found in any frame',
        'the file does not exist',
    ]


def test_a_camera_ends_with_the_keyboard_or_a_limit(run, monkeypatch):
    class Camera:
        """A camera that shows a face; Ctrl-C comes after three frames."""

        def __init__(self, number):
            self.left = 3

        def isOpened(self):
            return True

        def get(self, what):
            return 30.0

        def read(self):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return True, astronaut()

        def release(self):
            pass

    monkeypatch.setattr(sources_module.cv2, 'VideoCapture', Camera)
    camera = [Source('camera 0', 0, 'camera')]
    for limit, expected in ((None, 3), (2, 2)):
        summary, rows = run(camera, draw=False, max_frames=limit)
        assert summary.pictures == len(rows) == expected
        assert rows[0]['source'] == 'camera 0'


def test_no_camera(run):
    summary, rows = run([Source('camera 99', 99, 'camera')])
    assert summary.failed == {'camera 99': 'OpenCV finds no camera 99'}
    assert rows[0]['status'] == 'unreadable'


def test_the_text_of_a_summary():
    summary = Summary(pictures=4, seconds=2.0, failed={'a.jpg': 'it is cut off'})
    summary.statuses.update(ok=3, no_face=1)
    summary.expressions.update(happy=2, sad=1)
    assert str(summary).splitlines() == [
        '4 pictures or frames in 2.0 s (2.0 a second)',
        'faces: 3: 2 happy, 1 sad',
        'status: 3 ok, 1 no_face',
        'without a prediction: 1',
        '  a.jpg: it is cut off',
    ]
