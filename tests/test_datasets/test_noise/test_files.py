import hashlib
import json

import numpy as np
import pytest

from eac_mm.datasets.noise.files import (
    NoiseManifest,
    hash_labels,
    is_noise_file,
    read_noise_file,
    write_noise_file,
)

CLASSES = ('surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral')
ABC = ('a', 'b', 'c')


def test_hash_is_of_the_names():
    expected = hashlib.sha256(b'fear\nhappy\nfear').hexdigest()
    assert hash_labels(np.array([0, 1, 0]), ['fear', 'happy']) == expected
    assert hash_labels(np.array([2, 0, 2]), ['happy', 'sad', 'fear']) == expected
    assert hash_labels(np.array([0, 0, 1]), ['fear', 'happy']) != expected


CLEAN = np.array([0, 0, 1, 2, 2, 2])
GIVEN = np.array([0, 1, 1, 0, 2, 1])
NAMES = ['0.png', '1.png', '2.png', '3.png', '4.png', '5.png']


def manifest(**kwargs):
    fields = dict(kind='symmetric', rate=0.4, seed=3) | kwargs
    return NoiseManifest.describe(CLEAN, GIVEN, ABC, **fields)


def write(tmp_path, **kwargs):
    path = tmp_path / 'noise.txt'
    write_noise_file(path, manifest(**kwargs), GIVEN, NAMES)
    return path


def edit(path, line, text):
    lines = path.read_text().split('\n')
    lines[line - 1] = text
    path.write_text('\n'.join(lines))


def test_manifest():
    assert manifest() == NoiseManifest(
        kind='symmetric',
        rate=0.4,
        measured_rate=0.5,
        seed=3,
        transition=None,
        classes=('a', 'b', 'c'),
        clean_counts=(2, 1, 3),
        changed_counts=(1, 0, 2),
        clean_sha256=hashlib.sha256(b'a\na\nb\nc\nc\nc').hexdigest(),
        given_sha256=hashlib.sha256(b'a\nb\nb\na\nc\nb').hexdigest(),
    )


def test_manifest_counts_classes_without_samples():
    described = NoiseManifest.describe(
        np.array([0, 0]), np.array([0, 2]), ABC, 'file', 0, 0
    )
    assert described.clean_counts == (2, 0, 0)
    assert described.changed_counts == (1, 0, 0)


# files


def test_file_text(tmp_path):
    head, second, *rows = write(tmp_path).read_text().split('\n')
    assert head == '# eac_mm label noise 1'
    assert second.startswith('# ')
    assert json.loads(second[2:]) == {
        'kind': 'symmetric',
        'rate': 0.4,
        'measured_rate': 0.5,
        'seed': 3,
        'transition': None,
        'classes': ['a', 'b', 'c'],
        'clean_counts': [2, 1, 3],
        'changed_counts': [1, 0, 2],
        'clean_sha256': hashlib.sha256(b'a\na\nb\nc\nc\nc').hexdigest(),
        'given_sha256': hashlib.sha256(b'a\nb\nb\na\nc\nb').hexdigest(),
        'fitted_sha256': None,
    }
    assert rows == [
        '0\ta\t0.png',
        '1\tb\t1.png',
        '2\tb\t2.png',
        '3\ta\t3.png',
        '4\tc\t4.png',
        '5\tb\t5.png',
        '',
    ]


@pytest.mark.parametrize(
    'transition', [None, {'a': 'b', 'c': 'a'}, [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]]
)
def test_round_trip(tmp_path, transition):
    path = write(tmp_path, transition=transition)
    assert is_noise_file(path)
    found, given = read_noise_file(path, CLEAN, ABC)
    assert found == manifest(transition=transition)
    assert found.transition == transition
    assert given.dtype == np.int64
    np.testing.assert_array_equal(given, GIVEN)


def test_writing_twice_gives_the_same_bytes(tmp_path):
    first = write(tmp_path).read_bytes()
    assert write(tmp_path).read_bytes() == first


def test_other_class_order(tmp_path):
    # c, a, b instead of a, b, c: the same names have other numbers
    number = np.array([1, 2, 0])
    _, given = read_noise_file(write(tmp_path), number[CLEAN], ('c', 'a', 'b'))
    np.testing.assert_array_equal(given, number[GIVEN])


def test_odd_sample_names(tmp_path):
    names = ['a\tb.png', 'a\nb.png', 'c\u2028d.png', '', '  ', 'ü.png']
    path = tmp_path / 'noise.txt'
    write_noise_file(path, manifest(), GIVEN, names)
    np.testing.assert_array_equal(read_noise_file(path, CLEAN, ABC)[1], GIVEN)


def test_saved_by_a_windows_editor(tmp_path):
    path = write(tmp_path)
    text = path.read_bytes()
    path.write_bytes(b'\xef\xbb\xbf' + text.replace(b'\n', b'\r\n'))
    assert is_noise_file(path)
    np.testing.assert_array_equal(read_noise_file(path, CLEAN, ABC)[1], GIVEN)


def test_folders_are_made(tmp_path):
    path = tmp_path / 'x' / 'y' / 'noise.txt'
    write_noise_file(path, manifest(), GIVEN, NAMES)
    assert [file.name for file in path.parent.iterdir()] == ['noise.txt']


def test_failing_write_leaves_the_old_file(tmp_path):
    path = write(tmp_path)
    old = path.read_bytes()
    with pytest.raises(ValueError, match='shorter'):
        write_noise_file(path, manifest(), GIVEN, NAMES[:-1])
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('names', [('a', 'b', 'a'), ('a\tb', 'c', 'd'), ('a', '', 'b')])
def test_class_names_that_cannot_be_written(tmp_path, names):
    described = NoiseManifest.describe(CLEAN, GIVEN, names, 'symmetric', 0.4, 3)
    path = tmp_path / 'noise.txt'
    with pytest.raises(ValueError, match=r'is called .* without tabs and line breaks'):
        write_noise_file(path, described, GIVEN, NAMES)
    assert not path.exists()


@pytest.mark.parametrize(
    'text', ['', 'train_00001.jpg 5\n', '# eac_mm label noise 2\n']
)
def test_other_files(tmp_path, text):
    path = tmp_path / 'list.txt'
    path.write_text(text)
    assert not is_noise_file(path)


@pytest.mark.parametrize(
    ('line', 'text'),
    [
        (3, '0\ta'),
        (3, '0 a 0.png'),
        (4, '0\ta\t0.png'),
        (5, '2\td\t2.png'),
        (6, ''),
        (8, '5\tb'),
        (8, '6\tb\t5.png'),
        (9, '# end'),
    ],
)
def test_malformed_line(tmp_path, line, text):
    path = write(tmp_path)
    edit(path, line, text)
    with pytest.raises(ValueError, match=r'expected the index \d, a class of') as error:
        read_noise_file(path, CLEAN, ABC)
    assert str(error.value).startswith(
        f'{path}:{line}: {text!r}: expected the index {line - 3}, '
    )
    assert 'tools/make_noise.py' in str(error.value)


@pytest.mark.parametrize(
    'text',
    [
        '',
        '# kind: symmetric',
        '# 5',
        '# null',
        '# {}',
        '# {"kind": "symmetric", "classes": [], "clean_counts": [1], '
        '"changed_counts": [1]}',
    ],
)
def test_bad_manifest(tmp_path, text):
    path = write(tmp_path)
    edit(path, 2, text)
    with pytest.raises(ValueError, match=r'noise.txt:2: not a manifest'):
        read_noise_file(path, CLEAN, ABC)


@pytest.mark.parametrize('counts', [None, 'many', [1, None]])
def test_bad_counts_in_the_manifest(tmp_path, counts):
    path = write(tmp_path)
    fields = json.loads(path.read_text().split('\n')[1][2:]) | {'clean_counts': counts}
    edit(path, 2, f'# {json.dumps(fields)}')
    with pytest.raises(ValueError, match=r'noise.txt:2: not a manifest'):
        read_noise_file(path, CLEAN, ABC)


def test_head_alone(tmp_path):
    path = tmp_path / 'noise.txt'
    path.write_text('# eac_mm label noise 1\n')
    with pytest.raises(ValueError, match=r'noise.txt:2: not a manifest'):
        read_noise_file(path, CLEAN, ABC)


@pytest.mark.parametrize(
    ('clean', 'classes'),
    [
        (CLEAN[::-1], ABC),
        (CLEAN[:-1], ABC),
        (np.append(CLEAN, 0), ABC),
        (CLEAN, ('a', 'b', 'C')),
        (CLEAN, ('b', 'a', 'c')),
    ],
)
def test_other_labels(tmp_path, clean, classes):
    with pytest.raises(ValueError, match=r'made for other clean labels') as error:
        read_noise_file(write(tmp_path), clean, classes)
    assert f"6 samples of ('a', 'b', 'c'), the data set has {len(clean)} of" in str(
        error.value
    )


def test_cut_file(tmp_path):
    path = write(tmp_path)
    path.write_text('\n'.join(path.read_text().split('\n')[:6]) + '\n')
    with pytest.raises(ValueError, match=r'has 4 labels for 6 samples: it lost'):
        read_noise_file(path, CLEAN, ABC)


def test_longer_file(tmp_path):
    path = write(tmp_path)
    path.write_text(path.read_text() + '6\ta\t6.png\n')
    with pytest.raises(
        ValueError, match=r'has 7 labels for 6 samples: .* gained lines'
    ):
        read_noise_file(path, CLEAN, ABC)


@pytest.mark.parametrize(
    'text',
    [
        '3\tc\t3.png',  # a wrong label put right
        '3\tb\t3.png',  # a wrong label made another wrong one
    ],
)
def test_edited_file(tmp_path, text):
    path = write(tmp_path)
    edit(path, 6, text)
    with pytest.raises(ValueError, match=r'noise.txt was edited'):
        read_noise_file(path, CLEAN, ABC)
