import importlib.util
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location(
    'check_dataset', ROOT / 'tools' / 'check_dataset.py'
)
check_dataset = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(check_dataset)

RAFDB_RECIPE = str(ROOT / 'configs' / 'eac' / 'resnet18_rafdb_noise30.py')
SYNTHETIC_RECIPE = str(ROOT / 'configs' / 'eac' / 'resnet18_syntheticfer_noise30.py')


@pytest.fixture
def rafdb(rafdb_root, tmp_path):
    """A RAF-DB of one's own to spoil."""
    return Path(shutil.copytree(rafdb_root, tmp_path / 'rafdb'))


@pytest.fixture
def check(tmp_path, capsys):
    """Check a recipe, and return status, text and JSON report."""

    def run(config, root=None, *words):
        out = tmp_path / 'reports' / 'report.json'
        options = [
            f'{part}.data_root={root}'
            for part in (
                'train_dataloader.dataset.dataset',
                'val_dataloader.dataset',
                'test_dataloader.dataset',
            )
        ]
        arguments = [config, '--out', str(out), '--workers', '2', *words]
        if root:
            arguments += ['--cfg-options', *options]
        status = check_dataset.main(arguments)
        return status, capsys.readouterr(), json.loads(out.read_text())

    return run


def face(root, number, split='train'):
    return root / 'Image' / 'aligned' / f'{split}_{number:05d}_aligned.jpg'


def test_clean(check, rafdb):
    status, printed, report = check(RAFDB_RECIPE, rafdb)
    assert status == 0 and report['clean']
    # RAF-DB is validated on its test split: read once, not a leak.
    assert list(report['splits']) == ['training', 'validation, test']
    train = report['splits']['training']
    assert (train['samples'], train['files'], train['error']) == (12, 12, None)
    # The clean labels, though the recipe has noise.
    assert train['classes'] == dict(
        surprise=2, fear=1, disgust=1, happy=3, sad=2, angry=1, neutral=2
    )
    assert train['sizes'] == [[100, 100], [100, 100]]
    assert train['kinds'] == train['unreadable'] == {}
    assert report['shared'] == {'listed_twice': [], 'identical': []}
    assert 'No problem found in the images and labels.' in printed.out
    assert '!' not in printed.out
    assert 'surprise          2\n' in printed.out
    assert 'training: reading 12 images' in printed.err
    assert '] 12/12, ' in printed.err  # the progress bar


def test_unreadable_images(check, rafdb):
    face(rafdb, 2).write_bytes(face(rafdb, 2).read_bytes()[:-500])
    face(rafdb, 5).write_bytes(b'')
    face(rafdb, 1, 'test').write_text('<html>')
    status, printed, report = check(RAFDB_RECIPE, rafdb)
    assert status == 1 and not report['clean']
    assert report['splits']['training']['unreadable'] == {
        str(face(rafdb, 2)): 'the JPEG file is cut off: its end is missing',
        str(face(rafdb, 5)): 'the file is empty',
    }
    assert '! images that cannot be read: 2\n' in printed.out
    assert f'{face(rafdb, 5)}: the file is empty' in printed.out
    assert list(report['splits']['validation, test']['unreadable']) == [
        str(face(rafdb, 1, 'test'))
    ]
    # Both splits have one kind of problem.
    assert 'Findings, marked !: 2\n' in printed.out


def test_on_bad_image_skip_hides_nothing(check, rafdb):
    face(rafdb, 5).write_bytes(b'')
    recipe = rafdb / 'recipe.py'
    recipe.write_text(
        f'_base_ = {RAFDB_RECIPE!r}\n'
        "train_dataloader = dict(dataset=dict(dataset=dict(on_bad_image='skip')))\n"
    )
    status, _, report = check(str(recipe), rafdb)
    assert status == 1
    assert list(report['splits']['training']['unreadable']) == [str(face(rafdb, 5))]


def test_copies_and_leaks(check, rafdb):
    face(rafdb, 4).write_bytes(face(rafdb, 1).read_bytes())  # happy, surprise
    face(rafdb, 9).write_bytes(face(rafdb, 8).read_bytes())  # both happy
    face(rafdb, 7, 'test').write_bytes(face(rafdb, 7).read_bytes())  # neutral
    status, printed, report = check(RAFDB_RECIPE, rafdb)
    assert status == 1
    assert report['splits']['training']['identical'] == [
        dict(
            paths=[str(face(rafdb, 1)), str(face(rafdb, 4))],
            labels=['surprise', 'happy'],
            splits=['training'] * 2,
        ),
        dict(
            paths=[str(face(rafdb, 8)), str(face(rafdb, 9))],
            labels=['happy', 'happy'],
            splits=['training'] * 2,
        ),
    ]
    assert report['shared']['identical'] == [
        dict(
            paths=[str(face(rafdb, 7)), str(face(rafdb, 7, 'test'))],
            labels=['neutral', 'neutral'],
            splits=['training', 'validation, test'],
        )
    ]
    lines = printed.out.splitlines()
    disagree = [line for line in lines if line.endswith('THE LABELS DISAGREE')]
    assert len(disagree) == 1 and str(face(rafdb, 4)) in disagree[0]
    assert '(training: 1 surprise, 1 happy)' in disagree[0]
    assert '  ! copies in more than one split: 1' in lines


def csv_recipe(tmp_path, train, val):
    """A recipe of CSVFaces with the lines of its two lists."""
    for name, lines in (('train', train), ('val', val)):
        text = '\n'.join(['image,label', *lines])
        (tmp_path / f'{name}.csv').write_text(text, encoding='utf-8')
    faces = dict(type='CSVFaces', data_root=str(tmp_path), classes=['happy', 'sad'])
    path = tmp_path / 'recipe.py'
    path.write_text(
        "custom_imports = dict(imports=['eac_mm'])\n"
        "default_scope = 'mmpretrain'\n"
        'train_dataloader = dict(dataset=dict('
        f"type='NoisyLabels', dataset=dict(ann_file='train.csv', **{faces!r})))\n"
        f"val_dataloader = dict(dataset=dict(ann_file='val.csv', **{faces!r}))\n"
    )
    return str(path)


def test_repeated_entries_and_a_class_without_samples(check, tmp_path):
    rng = np.random.default_rng(0)
    for name in 'abc':
        image = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f'{name}.png'), image)
    recipe = csv_recipe(
        tmp_path, ['a.png,sad', 'b.png,sad', 'a.png,sad'], ['b.png,happy', 'c.png,sad']
    )
    status, printed, report = check(recipe)
    assert status == 1
    train = report['splits']['training']
    assert (train['samples'], train['files']) == (3, 2)
    assert train['empty_classes'] == ['happy']
    assert '! classes without a sample: 1\n    happy\n' in printed.out
    [twice] = train['listed_twice']
    assert twice['paths'] == [str(tmp_path / 'a.png')]
    assert twice['labels'] == ['sad', 'sad']
    [shared] = report['shared']['listed_twice']
    assert shared['paths'] == [str(tmp_path / 'b.png')]
    assert shared['labels'] == ['sad', 'happy']
    assert '(training, validation: 1 sad, 1 happy)  THE LABELS DISAGREE' in printed.out


def test_kinds_and_sizes(check, tmp_path):
    colour = Image.fromarray(np.full((20, 30, 3), (9, 99, 199), np.uint8))
    exif = Image.Exif()
    exif[0x112] = 6
    colour.save(tmp_path / 'plain.jpg')
    colour.convert('L').save(tmp_path / 'grey.jpg')
    colour.quantize(4).save(tmp_path / 'palette.png')
    colour.convert('CMYK').save(tmp_path / 'cmyk.jpg')
    colour.convert('RGBA').resize((7, 5)).save(tmp_path / 'rgba.png')
    colour.resize((60, 20)).save(tmp_path / 'rotated 1.jpg', exif=exif)
    cv2.imwrite(str(tmp_path / 'deep.png'), np.full((9, 9, 3), 3000, np.uint16))
    cv2.imwrite(str(tmp_path / 'greydeep.png'), np.full((9, 9), 3000, np.uint16))
    names = [p.name for p in sorted(tmp_path.glob('*.*g'))]
    recipe = csv_recipe(
        tmp_path,
        [f'{name},{("happy", "sad")[i % 2]}' for i, name in enumerate(names)],
        ['plain.jpg,sad', 'grey.jpg,happy'],
    )
    _, printed, report = check(recipe)
    train = report['splits']['training']
    assert train['samples'] == 8 and train['unreadable'] == {}
    assert train['kinds'] == {
        '16-bit': 2,
        'CMYK': 1,
        'grey': 2,
        'palette': 1,
        'rotated': 1,
        'transparent': 1,
    }
    assert train['sizes'] == [[7, 5], [20, 60]]  # the latter after rotation
    assert f'largest: 20 x 60 pixels ({tmp_path / "rotated 1.jpg"})' in printed.out


def test_missing_images_are_the_finding(check, rafdb):
    face(rafdb, 3).unlink()
    status, printed, report = check(RAFDB_RECIPE, rafdb)
    assert status == 1
    error = report['splits']['training']['error']
    assert '1 of 12 listed images' in error and 'train_00003_aligned.jpg' in error
    assert f'! it cannot be loaded:\n    {error}' in printed.out
    # The other split is read all the same.
    assert report['splits']['validation, test']['samples'] == 7


def test_nothing_there_at_all(check, tmp_path):
    status, printed, report = check(RAFDB_RECIPE, tmp_path / 'nowhere')
    assert status == 1
    assert 'nowhere' in report['splits']['training']['error']
    assert "nowhere' does not exist" in printed.out


def test_in_memory(check):
    sizes = [
        'train_dataloader.dataset.dataset.size=80',
        'val_dataloader.dataset.size=80',
        'test_dataloader.dataset.size=80',
    ]
    status, printed, report = check(SYNTHETIC_RECIPE, None, '--cfg-options', *sizes)
    assert status == 0
    assert list(report['splits']) == ['training', 'validation', 'test']
    assert report['splits']['test']['in_memory']
    assert printed.out.count('kept in memory: there is no file to read') == 3
    assert 'reading' not in printed.err


def test_many_findings_are_cut_in_the_text_only(check, tmp_path):
    lines = []
    for i in range(30):
        (tmp_path / f'{i}.jpg').touch()
        lines.append(f'{i}.jpg,{("happy", "sad")[i % 2]}')
    status, printed, report = check(csv_recipe(tmp_path, lines, lines[:2]))
    assert status == 1
    assert len(report['splits']['training']['unreadable']) == 30
    assert '    ... and 10 more (--out has all)\n' in printed.out


def test_bad_arguments(tmp_path):
    with pytest.raises(SystemExit):
        check_dataset.main([RAFDB_RECIPE, '--workers', '0'])
    (tmp_path / 'empty.py').write_text('')
    with pytest.raises(ValueError, match='has no data set'):
        check_dataset.main([str(tmp_path / 'empty.py')])
    with pytest.raises(FileNotFoundError, match='does not exist'):
        check_dataset.main([str(tmp_path / 'none.py')])
