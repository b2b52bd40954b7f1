import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from eac_mm.datasets.faces.ferplus import FERPlus

TOOL = Path(__file__).parents[2] / 'tools' / 'dataset_converters' / 'ferplus.py'
_spec = importlib.util.spec_from_file_location('ferplus_converter', TOOL)
converter = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(converter)

HEADER = (
    'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,'
    'contempt,unknown,NF'
)
VOTES = (
    'Training,fer0000000.png,0,10,0,0,0,0,0,0,0,0',
    'Training,,0,0,0,0,0,0,0,0,0,10',
    'Training,fer0000001.png,0,0,10,0,0,0,0,0,0,0',
    'PublicTest,fer0000002.png,10,0,0,0,0,0,0,0,0,0',
    'PrivateTest,fer0000003.png,0,0,0,0,10,0,0,0,0,0',
)


def image(row):
    """A picture of its own for every row, of all values from 0 to 255."""
    return ((np.arange(48 * 48) + 7 * row) % 256).astype(np.uint8).reshape(48, 48)


def pixels(row):
    return ' '.join(map(str, image(row).ravel()))


def make(root, votes=VOTES, faces=None):
    """Write the two files; give the arguments of the converter."""
    if faces is None:
        faces = [
            f'3,{pixels(row)},{line.split(",")[0]}' for row, line in enumerate(votes)
        ]
    (root / 'fer2013.csv').write_text('\n'.join(['emotion,pixels,Usage', *faces]))
    (root / 'fer2013new.csv').write_text('\n'.join([HEADER, *votes]) + '\n')
    return [str(root / name) for name in ('fer2013.csv', 'fer2013new.csv', 'out')]


def files(root):
    return {
        str(path.relative_to(root)) for path in root.rglob('*') if not path.is_dir()
    }


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize('header', ['emotion, Usage, pixels', 'emotion,Usage,pixels'])
@pytest.mark.parametrize('blank', ['', ' '])
def test_the_other_file_of_the_competition(tmp_path, header, blank):
    arguments = make(tmp_path)
    rows = [
        f'3,{blank}{line.split(",")[0]},{blank}{pixels(row)}'
        for row, line in enumerate(VOTES)
    ]
    path = tmp_path / 'icml_face_data.csv'
    path.write_text('\n'.join([header, *rows]))
    converter.main([str(path), *arguments[1:]])
    converter.main([*arguments[:2], str(tmp_path / 'other')])
    names = files(tmp_path / 'out')
    assert len(names) == 5 and names == files(tmp_path / 'other')
    for name in names:
        found = (tmp_path / 'out' / name).read_bytes()
        assert found == (tmp_path / 'other' / name).read_bytes()
    assert np.array_equal(
        read(tmp_path / 'out' / 'FER2013Train' / 'fer0000001.png'), image(2)
    )


def test_convert(tmp_path, capsys):
    converter.main(make(tmp_path))
    out = tmp_path / 'out'
    expected = {
        'FER2013Train/fer0000000.png': 0,
        'FER2013Train/fer0000001.png': 2,
        'FER2013Valid/fer0000002.png': 3,
        'FER2013Test/fer0000003.png': 4,
    }
    assert files(out) == {'fer2013new.csv', *expected}
    for name, row in expected.items():
        found = read(out / name)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, image(row))
    votes = (tmp_path / 'fer2013new.csv').read_bytes()
    assert (out / 'fer2013new.csv').read_bytes() == votes
    printed = capsys.readouterr().out
    assert (
        'FER2013Train: 2 images (2 written, 0 kept, 0 repeated, 0 differing, '
        '1 nameless)' in printed
    )
    assert 'FER2013Valid: 1 images (1 written' in printed
    assert 'FER2013Test: 1 images (1 written' in printed


def test_dataset_reads_what_the_converter_makes(tmp_path):
    converter.main(make(tmp_path))
    for split, expected in {'train': [3, 0], 'val': [6], 'test': [5]}.items():
        dataset = FERPlus(str(tmp_path / 'out'), split=split)
        assert dataset.get_gt_labels().tolist() == expected


def test_second_run_writes_only_what_is_missing_or_broken(tmp_path, capsys):
    arguments = make(tmp_path)
    converter.main(arguments)
    capsys.readouterr()
    train = tmp_path / 'out' / 'FER2013Train'
    whole, broken = train / 'fer0000000.png', train / 'fer0000001.png'
    before = whole.stat().st_mtime_ns, whole.stat().st_ino
    broken.write_bytes(broken.read_bytes()[:100])
    (tmp_path / 'out' / 'FER2013Valid' / 'fer0000002.png').write_bytes(b'')
    (tmp_path / 'out' / 'FER2013Test' / 'fer0000003.png').unlink()

    converter.main(arguments)
    assert (whole.stat().st_mtime_ns, whole.stat().st_ino) == before
    np.testing.assert_array_equal(read(broken), image(2))
    printed = capsys.readouterr().out
    assert 'FER2013Train: 2 images (1 written, 1 kept' in printed
    assert 'FER2013Valid: 1 images (1 written, 0 kept' in printed
    assert 'FER2013Test: 1 images (1 written, 0 kept' in printed


def test_cut_off_write_leaves_no_image(tmp_path, monkeypatch):
    arguments = make(tmp_path)
    replace = Path.replace

    def cut_off(self, target):
        if Path(target).suffix == '.png':
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'replace', cut_off)
        with pytest.raises(KeyboardInterrupt):
            converter.main(arguments)
    assert not [name for name in files(tmp_path / 'out') if name.endswith('.png')]
    converter.main(arguments)
    assert len([name for name in files(tmp_path / 'out') if name.endswith('.png')]) == 4
    # what the interruption left has no image's ending, which the data set would read
    assert len(FERPlus(str(tmp_path / 'out'), split='train')) == 2


def test_first_of_a_repeated_name_is_written(tmp_path, capsys):
    votes = (*VOTES, VOTES[0], VOTES[2])
    faces = [f'3,{pixels(i)},{line.split(",")[0]}' for i, line in enumerate(votes)]
    faces[6] = faces[2]
    arguments = make(tmp_path, votes, faces)
    converter.main(arguments)
    train = tmp_path / 'out' / 'FER2013Train'
    np.testing.assert_array_equal(read(train / 'fer0000000.png'), image(0))
    np.testing.assert_array_equal(read(train / 'fer0000001.png'), image(2))
    assert (
        'FER2013Train: 2 images (2 written, 0 kept, 2 repeated, 1 differing, '
        '1 nameless)' in capsys.readouterr().out
    )


def test_csv_in_place_is_kept(tmp_path):
    arguments = make(tmp_path)
    (tmp_path / 'out').mkdir()
    (tmp_path / 'fer2013new.csv').rename(tmp_path / 'out' / 'fer2013new.csv')
    arguments[1] = str(tmp_path / 'out' / 'fer2013new.csv')
    converter.main(arguments)
    assert len(files(tmp_path / 'out')) == 5


def test_another_csv_in_place(tmp_path):
    arguments = make(tmp_path)
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'fer2013new.csv').write_text('other')
    with pytest.raises(ValueError, match=r"csv' exists and differs from .*Fix: remove"):
        converter.main(arguments)
    assert (tmp_path / 'out' / 'fer2013new.csv').read_text() == 'other'


def faces_with(row, line):
    faces = [f'3,{pixels(i)},{v.split(",")[0]}' for i, v in enumerate(VOTES)]
    faces[row] = line
    return faces


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        (f'3,{pixels(2)} 5,Training', r'expected 2304 pixels, found 2305'),
        ('3,1 2 3,Training', r"'3,1 2 3,Training': expected 2304 pixels, found 3"),
        (f'3,256 {pixels(2)[3:]},Training', r"from 0 to 255, found '256'"),
        (f'3,x{pixels(2)},Training', r"from 0 to 255, found 'x14'"),
        (f'3,-{pixels(2)},Training', r"from 0 to 255, found '-14'"),
        (f'3,{pixels(2)}', r'expected 3 fields, found 2'),
        (
            f'3,{pixels(2)},PublicTest',
            r"expected Usage 'Training', as in .*fer2013new.csv:4",
        ),
    ],
)
def test_bad_face(tmp_path, line, message):
    arguments = make(tmp_path, faces=faces_with(2, line))
    with pytest.raises(ValueError, match=rf'fer2013.csv:4: .*{message}'):
        converter.main(arguments)


def test_bad_header(tmp_path):
    arguments = make(tmp_path)
    (tmp_path / 'fer2013.csv').write_text('pixels,emotion,Usage\n')
    with pytest.raises(
        ValueError, match=r'fer2013.csv:1: .*expected the header emotion,pixels,Usage'
    ):
        converter.main(arguments)


@pytest.mark.parametrize('shorter', ['fer2013.csv', 'fer2013new.csv'])
def test_row_counts_differ(tmp_path, shorter):
    arguments = make(tmp_path)
    lines = (tmp_path / shorter).read_text().splitlines()
    (tmp_path / shorter).write_text('\n'.join(lines[:-1]))
    with pytest.raises(
        ValueError, match=rf"equally many rows, but '.*{shorter}' ends after 4\."
    ):
        converter.main(arguments)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('missing', ['fer2013.csv', 'fer2013new.csv'])
def test_missing_file(tmp_path, missing):
    arguments = make(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(
        FileNotFoundError, match=rf"{missing}' does not exist.*microsoft.*kaggle"
    ):
        converter.main(arguments)


def test_name_that_leaves_the_folder(tmp_path):
    votes = ('Training,../fer0000000.png,0,10,0,0,0,0,0,0,0,0',)
    with pytest.raises(ValueError, match=r'csv:2: .*could leave the data root'):
        converter.main(make(tmp_path, votes))
    assert not (tmp_path / 'out').exists()
