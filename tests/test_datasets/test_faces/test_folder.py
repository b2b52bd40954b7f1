import io
import logging
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from eac_mm.datasets import FolderFaces, listing
from eac_mm.utils import image_formats


@pytest.fixture
def root(tmp_path):
    for name in ('happy/2.JPG', 'happy/sub dir/1.png', 'angry/é.webp', 'sad/1.jpg'):
        path = tmp_path / 'train' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.zeros((8, 8, 3), np.uint8)
        path.write_bytes(cv2.imencode('.png', image)[1].tobytes())
    (tmp_path / 'train' / 'happy' / 'notes.txt').write_text('no image')
    return tmp_path


def test_the_label_is_the_place_of_the_name(root):
    data = FolderFaces(str(root), 'train', classes=['sad', 'happy', 'angry'])
    infos = [data.get_data_info(i) for i in range(len(data))]
    assert [(i['name'], i['gt_label']) for i in infos] == [
        ('sad/1.jpg', 0),
        ('happy/2.JPG', 1),
        ('happy/sub dir/1.png', 1),
        ('angry/é.webp', 2),
    ]
    assert infos[3]['img_path'] == str(root / 'train' / 'angry' / 'é.webp')
    assert data.metainfo['classes'] == ('sad', 'happy', 'angry')


def test_without_classes_the_sorted_names(root):
    data = FolderFaces(str(root / 'train'))
    assert data.metainfo['classes'] == ('angry', 'happy', 'sad')
    assert data.get_gt_labels().tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        (['sad', 'happy'], r"lacks \['angry'\] and names \[\]"),
        (['sad', 'happy', 'anger'], r"lacks \['angry'\] and names \['anger'\]"),
    ],
)
def test_other_classes(root, classes, message):
    with pytest.raises(ValueError, match=message):
        FolderFaces(str(root), 'train', classes=classes)


def test_missing_and_empty_folders(root):
    with pytest.raises(FileNotFoundError, match="none' does not exist"):
        FolderFaces(str(root), 'none')
    (root / 'train' / 'fear').mkdir()
    with pytest.raises(ValueError, match="fear' has no image"):
        FolderFaces(str(root), 'train')
    (root / 'empty').mkdir()
    with pytest.raises(ValueError, match=r'has the class folders \[\]'):
        FolderFaces(str(root), 'empty')


LEFT_BEHIND = (
    '.ipynb_checkpoints/1-checkpoint.jpg',  # beside the class folders
    'sad/.ipynb_checkpoints/1-checkpoint.jpg',
    'sad/deep/.thumbnails/1.jpg',
    'happy/._2.JPG',
    'happy/2.jpg~',
    '__MACOSX/sad/._1.jpg',
    '@eaDir/1.jpg',
    'angry/@eaDir/1.jpg',
    '$RECYCLE.BIN/1.jpg',
    'System Volume Information/1.jpg',
    'lost+found/1.jpg',
    '__pycache__/1.jpg',
    'Thumbs.db',
    'happy/desktop.ini',
    '.DS_Store',
)


@pytest.fixture
def said(monkeypatch):
    """Catch what is logged of files that are left out, as (level, text)."""
    lines = []
    monkeypatch.setattr(
        listing, 'print_log', lambda text, level, **_: lines.append((level, text))
    )
    return lines


def test_what_programs_leave_behind_is_neither_face_nor_class(root, said):
    train = root / 'train'
    (train / 'happy' / 'notes.txt').unlink()
    before = FolderFaces(str(train))
    assert said == []
    for name in LEFT_BEHIND:
        (train / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(train / 'sad' / '1.jpg', train / name)
    after = FolderFaces(str(train))
    assert after.metainfo['classes'] == ('angry', 'happy', 'sad')
    assert [after.get_data_info(i) for i in range(len(after))] == [
        before.get_data_info(i) for i in range(4)
    ]
    ((level, text),) = said
    assert level == logging.INFO
    assert text.startswith(f"FolderFaces: 15 files or folders in '{train}' are left")


def test_other_endings_and_files_beside_the_folders_are_named(root, said):
    train = root / 'train'
    (train / 'labels.csv').touch()
    (train / 'sad' / '2.cr2').touch()
    assert len(FolderFaces(str(train))) == 4
    ((level, text),) = said
    assert level == logging.WARNING
    assert sorted(text.split('\n  ')[1:]) == [
        "1 beside the class folders, in none of them: 'labels.csv'",
        "1 with the ending '.cr2', which is not read: 'sad/2.cr2'",
        "1 with the ending '.txt', which is not read: 'happy/notes.txt'",
    ]


@pytest.mark.parametrize('readable', [True, False])
def test_heic_is_read_or_named_with_the_command(root, said, monkeypatch, readable):
    def reader(file):
        return Image.new('RGB', (3, 2), (10, 20, 30))

    monkeypatch.setattr(
        image_formats, 'heic_reader', lambda: reader if readable else None
    )
    (root / 'train' / 'sad' / 'phone.HEIC').write_bytes(
        b'\0\0\0\x14ftypheic\0\0\0\0mif1'
    )
    data = FolderFaces(str(root), 'train', pipeline=[dict(type='LoadFace')])
    names = [data.get_data_info(i)['name'] for i in range(len(data))]
    assert ('sad/phone.HEIC' in names) is readable
    if readable:
        image = data[names.index('sad/phone.HEIC')]['img']
        assert image.shape == (2, 3, 3) and image[0, 0].tolist() == [30, 20, 10]
    else:
        expected = "'.heic', which is not read (Fix: pip install pillow-heif): 'sad/pho"
        assert expected in said[0][1]


@pytest.mark.parametrize('readable', [image_formats.avif_reader() is not None])
def test_avif(root, readable):
    if readable:
        buffer = io.BytesIO()
        Image.new('RGB', (16, 16), (90, 90, 90)).save(buffer, 'AVIF')
        (root / 'train' / 'sad' / '0.avif').write_bytes(buffer.getvalue())
    data = FolderFaces(str(root), 'train', pipeline=[dict(type='LoadFace')])
    names = [data.get_data_info(i)['name'] for i in range(len(data))]
    assert ('sad/0.avif' in names) is readable
    if readable:
        image = data[names.index('sad/0.avif')]['img'].astype(int)
        assert np.abs(image - 90).max() <= 3


def test_a_class_of_unreadable_images_is_refused_with_the_reason(root, monkeypatch):
    monkeypatch.setattr(image_formats, 'heic_reader', lambda: None)
    (root / 'train' / 'fear').mkdir()
    (root / 'train' / 'fear' / '1.heic').touch()
    with pytest.raises(ValueError, match=r"(?s)fear' has no image.*install pillow-h"):
        FolderFaces(str(root), 'train')


def test_a_hidden_folder_is_no_class_even_by_name(root):
    (root / 'train' / '.fear').mkdir()
    with pytest.raises(ValueError, match=r"names \['.fear'\].*Fix: rename"):
        FolderFaces(str(root), 'train', classes=['sad', 'happy', 'angry', '.fear'])


def test_integers_as_class_names(tmp_path):
    for name in ('1', '2', '10'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'a.jpg').touch()
    assert FolderFaces(str(tmp_path)).metainfo['classes'] == ('1', '2', '10')
    data = FolderFaces(str(tmp_path), classes=[10, 2, 1])
    assert data.metainfo['classes'] == ('10', '2', '1')
    assert data.get_data_info(0)['name'] == '10/a.jpg'
