import numpy as np
import pytest

from eac_mm.datasets.faces.affectnet_files import read_id, read_rows


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
