import logging
import os

import pytest

from eac_mm.datasets import listing
from eac_mm.datasets.listing import (
    LeftOutFiles,
    find_images,
    is_foreign,
    keep_images,
    scan,
)

FOREIGN = (
    '.DS_Store',
    '._1.jpg',
    '.ipynb_checkpoints',
    '.thumbnails',
    '.Trash-1000',
    '.1.jpg.swp',
    '__MACOSX',
    '__pycache__',
    '@eaDir',
    'Thumbs.db',
    'THUMBS.DB',
    'desktop.ini',
    'Desktop.ini',
    '$RECYCLE.BIN',
    'System Volume Information',
    'lost+found',
    '1.jpg~',
    '#1.jpg#',
    '~$1.jpg',
    '1.jpg:Zone.Identifier',
    'Icon\r',
)
OWN = ('1.jpg', 'happy', 'Thumbs', 'a.b.jpg', 'lost', '_1.jpg', '~1.jpg', 'a~b.png')


@pytest.mark.parametrize('name', FOREIGN)
def test_foreign_names(name):
    assert is_foreign(name)


@pytest.mark.parametrize('name', OWN)
def test_names_of_ones_own(name):
    assert not is_foreign(name)


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_scan_tells_folders_files_and_others(tmp_path):
    touch(tmp_path, 'b.jpg', 'a.txt', '.DS_Store', 'sub/c.jpg', '.hidden/d.jpg')
    (tmp_path / 'gone.jpg').symlink_to(tmp_path / 'nowhere')
    os.mkfifo(tmp_path / 'pipe.jpg')
    left_out = LeftOutFiles(tmp_path)
    assert scan(tmp_path, left_out) == (['sub'], ['a.txt', 'b.jpg'])
    assert left_out.counts == {
        listing.LEFT_BEHIND: 2,
        'broken links': 1,
        'not regular files': 1,
    }


def test_images_at_any_depth_but_none_that_a_program_left(tmp_path):
    touch(
        tmp_path,
        '1.jpg',
        'x/y/2.PNG',
        'x/.ipynb_checkpoints/2-checkpoint.png',
        'x/y/@eaDir/2.PNG/SYNOPHOTO_THUMB_XL.jpg',
        '__MACOSX/1.jpg',
        '._1.jpg',
        'x/._2.jpg',
    )
    left_out = LeftOutFiles(tmp_path)
    assert find_images(tmp_path, left_out) == [
        tmp_path / '1.jpg',
        tmp_path / 'x' / 'y' / '2.PNG',
    ]
    assert left_out.counts == {listing.LEFT_BEHIND: 5}


def test_a_hidden_folder_above_the_data_does_not_matter(tmp_path):
    root = tmp_path / '.cache' / 'faces'
    touch(root, '1.jpg')
    assert find_images(root, LeftOutFiles(root)) == [root / '1.jpg']


def test_links_to_folders_may_lead_in_a_circle(tmp_path):
    touch(tmp_path, '1.jpg', 'x/2.jpg')
    (tmp_path / 'x' / 'circle').symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / 'linked.jpg').symlink_to(tmp_path / '1.jpg')
    left_out = LeftOutFiles(tmp_path)
    found = [path.name for path in find_images(tmp_path, left_out)]
    assert found == ['1.jpg', 'linked.jpg', '2.jpg']
    assert left_out.counts == {'links to folders, which are not followed': 1}


def test_endings_are_counted_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr(
        listing,
        'command_for',
        lambda ending: 'pip install pillow-heif' if ending == '.heic' else None,
    )
    left_out = LeftOutFiles(tmp_path)
    files = ['1.jpg', '2.HEIC', '3.heic', '4.heic', '5.heic', 'notes.txt', 'README']
    assert keep_images(tmp_path, files, left_out, ('.jpg',)) == [tmp_path / '1.jpg']
    assert str(left_out).split('\n  ') == [
        "4 with the ending '.heic', which is not read (Fix: pip install pillow-heif): "
        "'2.HEIC', '3.heic', '4.heic', ...",
        "1 with the ending '.txt', which is not read: 'notes.txt'",
        "1 without an ending: 'README'",
    ]


def test_the_log_warns_of_what_may_be_missed(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        listing, 'print_log', lambda text, level, **_: said.append((level, text))
    )
    left_out = LeftOutFiles(tmp_path)
    left_out.log('FolderFaces')
    assert said == []
    left_out.add(listing.LEFT_BEHIND, tmp_path / '.DS_Store')
    left_out.log('FolderFaces')
    left_out.add('broken links', tmp_path / 'sub' / '1.jpg')
    left_out.log('FolderFaces')
    assert [level for level, _ in said] == [logging.INFO, logging.WARNING]
    assert said[1][1] == (
        f"FolderFaces: 2 files or folders in '{tmp_path}' are left out:\n"
        f"  1 {listing.LEFT_BEHIND}: '.DS_Store'\n"
        "  1 broken links: 'sub/1.jpg'"
    )
