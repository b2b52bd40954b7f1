"""Conversion as a call; test_tools/test_ferplus_converter.py has bad files."""

import cv2
import numpy as np
import pytest

from eac_mm.datasets.faces.ferplus_files import Row as Line
from eac_mm.datasets.faces.ferplus_files import convert, holds, read_pixels

HEADER = (
    'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,'
    'contempt,unknown,NF'
)


def pixels(value):
    return ' '.join([str(value)] * 48**2)


@pytest.fixture
def sources(tmp_path):
    fer2013, ferplus = tmp_path / 'fer2013.csv', tmp_path / 'fer2013new.csv'
    rows = [f'3,{pixels(value)},Training' for value in (10, 20, 30)]
    fer2013.write_text('\n'.join(['emotion,pixels,Usage', *rows]))
    names = ('a.png', '', 'a.png')
    votes = [f'Training,{name},10,0,0,0,0,0,0,0,0,0' for name in names]
    ferplus.write_text('\n'.join([HEADER, *votes]))
    return fer2013, ferplus


def test_counts_and_progress(sources, tmp_path):
    seen = []

    def progress(rows, total):
        for row in rows:
            seen.append((row.number, total))
            yield row

    counts = convert(*sources, tmp_path / 'out', progress)
    assert seen == [(2, 3), (3, 3), (4, 3)]
    assert counts['FER2013Train'] == dict(
        written=1, kept=0, repeated=1, differing=1, nameless=1
    )
    assert not any(counts['FER2013Test'].values())
    path = tmp_path / 'out' / 'FER2013Train' / 'a.png'
    assert (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) == 10).all()
    assert convert(*sources, tmp_path / 'out')['FER2013Train']['kept'] == 1


def test_pixels_are_read_by_row(tmp_path):
    values = np.arange(48**2) % 256
    line = Line(2, '', ' '.join(map(str, values)), 'Training', 'a.png')
    image = read_pixels(tmp_path, line)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, values.reshape(48, 48))


def test_only_the_same_image_counts_as_there(tmp_path):
    path, image = tmp_path / 'a.png', np.full((48, 48), 7, np.uint8)
    assert not holds(path, image)
    path.write_bytes(b'')
    assert not holds(path, image)
    cv2.imwrite(str(path), image)
    assert holds(path, image)
    assert not holds(path, image + 1)
