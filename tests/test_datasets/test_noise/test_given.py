import numpy as np
import pytest

from eac_mm.datasets.noise.files import NoiseManifest, write_noise_file
from eac_mm.datasets.noise.given import read_given_labels

CLASSES = ('a', 'b', 'c')
CLEAN = np.array([0, 2, 1])
NAMES = ['x.png', 'y.png', 'z.png']


def reader(path):
    """A list in a format of its own: name=label."""
    pairs = [line.split('=') for line in path.read_text().split()]
    return [(name, int(label)) for name, label in pairs]


def given(path, **kwargs):
    return read_given_labels(path, CLEAN, CLASSES, NAMES, **kwargs)


@pytest.mark.parametrize('own', [None, reader])
def test_a_noise_file(tmp_path, own):
    """It is recognised whether or not the data set has a format of its own."""
    labels = np.array([1, 2, 0])
    manifest = NoiseManifest.describe(CLEAN, labels, CLASSES, 'symmetric', 0.5, 3)
    write_noise_file(tmp_path / 'noise.txt', manifest, labels, NAMES)
    found = given(tmp_path / 'noise.txt', reader=own)
    assert found.tolist() == [1, 2, 0]
    assert found.dtype == np.int64


def test_a_list_is_matched_by_name(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('z.png=2 other.png=0 x.png=1 y.png=0')
    found = given(path, reader=reader)
    assert found.tolist() == [1, 0, 2]
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('z.png=2', r'lacks 2 of the 3 samples \(first: x.png\). Fix: give'),
        (
            'x.png=1 y.png=0 z.png=2 y.png=0 w=1 w=1',
            r'lists 2 samples more than once \(first: y.png\). Fix: leave',
        ),
    ],
)
def test_lists_that_do_not_fit(tmp_path, text, message):
    path = tmp_path / 'list.txt'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        given(path, reader=reader)


def test_neither_format(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('x.png=1')
    with pytest.raises(ValueError, match='no list format of its own. Fix: write one'):
        given(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='noise_file .*none.txt does not exist'):
        given(tmp_path / 'none.txt', reader=reader)
