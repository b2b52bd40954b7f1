import numpy as np
import pytest

from eac_mm.datasets import listing
from eac_mm.datasets.faces.affectnet_files import (
    read_annotations,
    read_id,
    read_rows,
)


@pytest.mark.parametrize(
    ('value', 'expected'),
    [('7', '7'), (10, '10'), (np.array([3]), '3'), (np.uint8(0), '0')],
)
def test_ids(tmp_path, value, expected):
    np.save(tmp_path / '0_exp.npy', value)
    assert read_id(tmp_path / '0_exp.npy') == expected


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ('happy', r"0_exp.npy: 'happy' of type <U5: expected an expression id from 0"),
        (3.0, r"'3.0' of type float64: expected an"),
        (True, r"'True' of type bool: expected an"),
        (-1, r"'-1' of type int64: expected an"),
        (np.array([1, 2]), r"'shape \(2,\)' of type int64: expected an"),
    ],
)
def test_bad_ids(tmp_path, value, message):
    np.save(tmp_path / '0_exp.npy', value)
    with pytest.raises(ValueError, match=message):
        read_id(tmp_path / '0_exp.npy')


class Trap:
    """Unpickled, it raises."""

    def __reduce__(self):
        return exec, ("raise SystemExit('unpickled')",)


def test_a_pickle_is_not_opened(tmp_path):
    np.save(tmp_path / '0_exp.npy', np.array(Trap(), dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r'0_exp.npy: expected .* allow_pickle=False'):
        read_id(tmp_path / '0_exp.npy')


@pytest.mark.parametrize('content', [b'', b'6\n', b'PK\x03\x04', b'\x93NUMPY\x01'])
def test_no_npy_file(tmp_path, content):
    (tmp_path / '0_exp.npy').write_bytes(content)
    with pytest.raises(ValueError, match=r'0_exp.npy: expected an expression id from'):
        read_id(tmp_path / '0_exp.npy')


def test_rows(tmp_path):
    path = tmp_path / 'training.csv'
    path.write_text(
        'subDirectory_filePath,face_x,face_y,face_width,face_height,'
        'facial_landmarks,expression,valence,arousal\n'
        '689/73.jpg,134,133,899,898,1.5;2;3,6,-0.37,0.49\n'
        '689/74.jpg,1,2,0,4,1;2,10,-2,-2\n'
    )
    first, second = read_rows(path, boxes=True)
    assert (first.number, first.name, first.expression) == (2, '689/73.jpg', 'angry')
    assert first.box == (134, 133, 899, 898)
    assert (second.number, second.expression, second.box) == (3, None, None)
    assert [row.box for row in read_rows(path, boxes=False)] == [None, None]


def test_rows_written_on_windows(tmp_path):
    path = tmp_path / 'training.csv'
    path.write_text(
        'subDirectory_filePath,face_x,face_y,face_width,face_height,'
        'facial_landmarks,expression,valence,arousal\n'
        '689\\73.jpg,134,133,899,898,1.5;2;3,6,-0.37,0.49\n'
    )
    (row,) = read_rows(path, boxes=False)
    assert row.name == '689/73.jpg'


@pytest.fixture
def npy(tmp_path):
    """Lay out images 2 and 10 with expressions 1 (happy) and 9 (uncertain)."""
    for part in ('images', 'annotations'):
        (tmp_path / part).mkdir()
    for stem, ending, expression in (('10', 'jpg', 9), ('2', 'png', 1)):
        (tmp_path / 'images' / f'{stem}.{ending}').touch()
        np.save(tmp_path / 'annotations' / f'{stem}_exp.npy', expression)
    return tmp_path / 'images', tmp_path / 'annotations'


def test_annotations_of_jpg_and_png(npy):
    assert list(read_annotations(*npy)) == [('2.png', 'happy'), ('10.jpg', None)]


def test_annotations_beside_what_programs_leave_behind(npy, monkeypatch):
    said = []
    monkeypatch.setattr(listing, 'print_log', lambda text, **_: said.append(text))
    images, annotations = npy
    for path in (
        images / '._2.png',
        images / '.DS_Store',
        images / 'Thumbs.db',
        annotations / '._2_exp.npy',
    ):
        path.touch()
    (images / '.ipynb_checkpoints').mkdir()
    (images / 'notes.txt').touch()
    assert list(read_annotations(*npy)) == [('2.png', 'happy'), ('10.jpg', None)]
    assert said[0].startswith(f"AffectNet: 5 files or folders in '{images}' are left")
    assert "1 with the ending '.txt', which is not read: 'notes.txt'" in said[0]


def test_two_images_of_one_number(npy):
    (npy[0] / '2.jpg').touch()
    with pytest.raises(ValueError, match=r"'2.jpg' and '2.png', and one expression"):
        list(read_annotations(*npy))


def test_a_missing_image_may_be_allowed(npy):
    (npy[0] / '2.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 2 listed images.*: 2.jpg'):
        list(read_annotations(*npy))
    assert list(read_annotations(*npy, missing_ok=True))[0] == ('2.jpg', 'happy')
