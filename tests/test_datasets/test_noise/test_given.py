from pathlib import Path

import numpy as np
import pytest
import torch

from eac_mm.datasets.noise.files import NoiseManifest, write_noise_file
from eac_mm.datasets.noise.given import match, read_given_labels

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
        (
            'z.png=2',
            r"lacks 2 of the 3 samples \(first: x.png\); .*\['z.png'\]. Fix: ",
        ),
        (
            'x.png=1 y.png=0 z.png=2 y.png=0 w=1 w=1',
            r'lists 1 samples more than once \(first: y.png\). Fix: leave',
        ),
    ],
)
def test_lists_that_do_not_fit(tmp_path, text, message):
    path = tmp_path / 'list.txt'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        given(path, reader=reader)


def test_labels_of_one_s_own_are_matched_by_name_or_by_order(tmp_path):
    path = tmp_path / 'own.txt'
    path.write_text('z.png c\nx.png b\nother.png a\ny.png a\n')
    assert given(path).tolist() == [1, 0, 2]
    np.save(tmp_path / 'own.npy', [1, 0, 2])
    for own in (None, reader):
        assert given(tmp_path / 'own.npy', reader=own).tolist() == [1, 0, 2]


def test_windows_paths():
    path = Path('list.txt')
    found = match(path, ['a/1.png', 'b/1.png'], np.array([4, 5]), ['b/1.png'])
    assert found.tolist() == [5]


def test_names_with_backslashes(tmp_path):
    path = tmp_path / 'own.csv'
    path.write_text('image,label\na\\x.png,1\nb\\x.png,2\n')
    found = read_given_labels(
        path, np.array([0, 0]), CLASSES, ['b/x.png', 'a/x.png'], column='label'
    )
    assert found.tolist() == [2, 1]


def test_a_name_that_the_data_set_has_twice(tmp_path):
    """FERPlus lists three pictures twice."""
    names = ['x', 'y', 'x']
    path = tmp_path / 'own.txt'
    path.write_text('x 0\ny 1\nx 2\n')
    clean = np.zeros(3, int)
    assert read_given_labels(path, clean, CLASSES, names).tolist() == [0, 1, 2]
    path.write_text('x 2\ny 1\n')
    assert read_given_labels(path, clean, CLASSES, names).tolist() == [2, 1, 2]
    path.write_text('x 0\ny 1\nx 2\nx 2\n')
    with pytest.raises(ValueError, match=r'1 samples more than once \(first: x\)'):
        read_given_labels(path, clean, CLASSES, names)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('0\n1\n', '2 labels without names, and the data set 3 samples. Fix: give'),
        ('x.png 0\ny.png 1\n', r'lacks 1 of the 3 samples \(first: z.png\)'),
        ('x.png 1\ny.png 2\nz.png 3', "own.txt:3: the label '3' is .*Fix: subtract 1"),
        ('x.png 1\ny.png d\nz.png 0', "own.txt:2: the label 'd' is neither .*Fix: cor"),
        ('', 'no list of labels. Allowed are .* Fix: write one'),
    ],
)
def test_labels_of_one_s_own_that_do_not_fit(tmp_path, text, message):
    path = tmp_path / 'own.txt'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        given(path)


def test_clean_labels_beside_the_noisy_ones_are_compared(tmp_path):
    path = tmp_path / 'human.pt'
    torch.save(dict(clean_label=CLEAN.copy(), worse_label=np.array([1, 1, 1])), path)
    assert given(path).tolist() == [1, 1, 1]
    torch.save(dict(clean_label=CLEAN[::-1].copy(), worse_label=CLEAN), path)
    with pytest.raises(ValueError, match=r'2 of 3 differ .*\(first: x.png\).*order'):
        given(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='noise_file .*none.txt does not exist'):
        given(tmp_path / 'none.txt', reader=reader)
