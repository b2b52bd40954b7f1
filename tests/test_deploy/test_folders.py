import json

import cv2
import numpy as np
import pytest
from pictures import astronaut, coffee, rotate, scene

from eac_mm.deploy import MTCNN, FaceAligner, get_template
from eac_mm.deploy.folders import align_folder, measure_template

TEMPLATE = get_template('arcface')


@pytest.fixture(scope='module')
def aligner():
    return FaceAligner(MTCNN(), TEMPLATE, 96, faces='largest')


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / 'photos'
    (folder / 'happy').mkdir(parents=True)
    cv2.imwrite(str(folder / 'happy' / 'a.png'), rotate(astronaut(), 20))
    cv2.imwrite(str(folder / 'happy' / 'b.jpg'), scene([0, 15], 0)[0])
    cv2.imwrite(str(folder / 'c.png'), coffee())
    (folder / 'd.jpg').write_bytes(b'no picture')
    cv2.imwrite(str(folder / 'e.ppm'), astronaut())
    return folder


def test_a_folder(source, tmp_path, aligner):
    target, steps = tmp_path / 'aligned', []
    report = align_folder(source, target, aligner, step=steps.append)
    assert report['statuses'] == dict(ok=3, no_face=1, unreadable=1)
    assert sum(steps) == 5
    assert report['written'] == 3
    assert report['left_out']['c.png'] == 'no_face'
    assert 'no JPEG, PNG' in report['left_out']['d.jpg']
    assert json.loads((target / 'alignment.json').read_text()) == report
    names = {p.relative_to(target).as_posix() for p in target.rglob('*') if p.is_file()}
    assert names == {
        *('happy/a.png', 'happy/b.jpg', 'e.ppm.png'),
        *('alignment.json', 'alignment.jsonl'),
    }
    face = cv2.imread(str(target / 'happy' / 'a.png'))
    assert face.shape == (96, 96, 3)
    # What was tilted is upright, and the same as from the picture that was not.
    upright = cv2.imread(str(target / 'e.ppm.png'))
    inner = slice(16, 80)
    difference = np.abs(face[inner, inner].astype(int) - upright[inner, inner])
    assert difference.mean() < 15
    template = get_template(report['template'])
    assert np.allclose(template.points, TEMPLATE.points, atol=1e-5)
    assert template.size == 96


@pytest.mark.parametrize('suffix', ['.bmp', '.jpg', '.png', '.tiff', '.webp'])
def test_opencv_does_not_warn_of_what_is_written(suffix, tmp_path, aligner, capfd):
    source, target = tmp_path / 'photos', tmp_path / 'aligned'
    source.mkdir()
    cv2.imwrite(str(source / f'a{suffix}'), astronaut())
    capfd.readouterr()
    assert align_folder(source, target, aligner)['written'] == 1
    assert cv2.imread(str(target / f'a{suffix}')).shape == (96, 96, 3)
    assert 'unsupported key' not in capfd.readouterr().err


def test_a_run_that_was_stopped_goes_on(source, tmp_path, aligner):
    whole = align_folder(source, tmp_path / 'whole', aligner)
    target, count = tmp_path / 'aligned', []

    def stop(done):
        count.append(done)
        if sum(count) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        align_folder(source, target, aligner, step=stop)
    with (target / 'alignment.jsonl').open('a') as file:
        file.write('{"image": "e.p')  # cut off by a crash
    before = (target / 'c.png').exists(), len(list(target.rglob('*.png')))
    steps = []
    report = align_folder(source, target, aligner, step=steps.append)
    assert before[0] is False and steps[0] == 2 and sum(steps) == 5
    assert report == whole
    for path in (tmp_path / 'whole').rglob('*g'):
        copy = target / path.relative_to(tmp_path / 'whole')
        assert copy.read_bytes() == path.read_bytes()


def test_images_without_a_face_can_be_kept(source, tmp_path, aligner):
    target = tmp_path / 'aligned'
    report = align_folder(source, target, aligner, keep_undetected=True)
    assert list(report['left_out']) == ['d.jpg']
    kept = cv2.imread(str(target / 'c.png')).astype(int)
    square = coffee()[:, 100:500]  # 400 x 600 pixels
    expected = cv2.resize(square, (96, 96), interpolation=cv2.INTER_AREA)
    assert np.abs(kept - expected).mean() < 3


def test_targets_that_are_refused(source, tmp_path, aligner):
    with pytest.raises(ValueError, match=r'lies in .*Fix: choose a target outside'):
        align_folder(source, source / 'aligned', aligner)
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'mine.txt').touch()
    with pytest.raises(ValueError, match=r'files of something else. Fix'):
        align_folder(source, other, aligner)
    target = tmp_path / 'aligned'
    align_folder(source, target, aligner)
    with pytest.raises(ValueError, match=r'another keep_undetected. Fix'):
        align_folder(source, target, aligner, keep_undetected=True)


def test_sources_that_are_refused(tmp_path, aligner):
    with pytest.raises(FileNotFoundError, match=r'nix does not exist.*Fix'):
        align_folder(tmp_path / 'nix', tmp_path / 'a', aligner)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match=r'has no image. Fix'):
        align_folder(tmp_path / 'empty', tmp_path / 'a', aligner)


class Known:
    """A detector that finds the points of a template, shifted by the first pixel."""

    passes = 0

    def __call__(self, image):
        from eac_mm.deploy import Face

        if image[0, 0, 0] == 0:
            return []
        points = 40 * TEMPLATE.points + [0, image[0, 0, 0] / 10]
        return [Face(np.array([0, 0, 40, 40.0]), 1.0, points)]


def test_the_template_of_a_folder(tmp_path):
    for i, level in enumerate((0, 10, 20, 200)):
        cv2.imwrite(str(tmp_path / f'{i}.png'), np.full((40, 40, 3), level, np.uint8))
    template, found = measure_template(tmp_path, Known())
    assert (found, template.size, template.grey) == (3, 40, True)
    # The median is 2 pixels of 40 below the template, which is made symmetric.
    expected = TEMPLATE.points + [0, 0.05]
    assert np.abs(template.points - expected).max() < 0.006
    left, right, nose, mouth_left, mouth_right = template.points
    assert left[0] + right[0] == mouth_left[0] + mouth_right[0] == 1
    assert nose[0] == 0.5 and left[1] == right[1]


def test_no_face_to_measure(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / 'b.png').write_bytes(b'')
    with pytest.raises(ValueError, match=r'no face was found in 2 images. Fix'):
        measure_template(tmp_path, Known())
