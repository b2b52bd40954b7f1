import os

import pytest

from eac_mm.datasets import validate


def test_choice():
    validate.require_choice('split', 'val', ('train', 'val'))
    with pytest.raises(
        ValueError,
        match=r"split='dev' is unknown\. Fix: choose .* 'train', 'val'\.",
    ):
        validate.require_choice('split', 'dev', ('train', 'val'))


def test_folder(tmp_path):
    validate.require_folder(tmp_path, 'Unpack it.')
    with pytest.raises(FileNotFoundError, match=r"nowhere' does not exist. Unpack it"):
        validate.require_folder(tmp_path / 'nowhere', 'Unpack it.')


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(FileNotFoundError, match=r"The folder '.*file' does not exist"):
        validate.require_folder(tmp_path / 'file', '')


def test_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"The file '.*list.txt' does .* Get"):
        validate.require_file(tmp_path / 'list.txt', 'Get it.')
    with pytest.raises(FileNotFoundError, match='The file'):
        validate.require_file(tmp_path, 'Get it.')


def test_faces(tmp_path):
    validate.require_faces(['a'], tmp_path / 'list', 'val', '')
    with pytest.raises(ValueError, match=r"list' lists no face of split 'val'. Fix"):
        validate.require_faces([], tmp_path / 'list', 'val', 'Fix')


def test_images_reads_the_folder_once(tmp_path, monkeypatch):
    for name in 'abc':
        (tmp_path / name).touch()
    listings = []
    scandir = os.scandir

    def counting(path):
        listings.append(path)
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', counting)
    validate.require_images(tmp_path, ['c', 'a', 'a'], '')
    assert listings == [tmp_path]


def test_images_missing(tmp_path):
    (tmp_path / 'a').touch()
    names = ['a', 'f', 'e', 'd', 'c', 'f']
    with pytest.raises(
        FileNotFoundError, match=r"4 of 5 listed .* in '.*': f, e, d, \.\.\.\. Fix"
    ):
        validate.require_images(tmp_path, names, 'Fix')
    with pytest.raises(FileNotFoundError, match=r"1 of 2 listed .* in '.*': f\. Fix"):
        validate.require_images(tmp_path, ['a', 'f'], 'Fix')


def test_images_empty_or_no_folder(tmp_path):
    (tmp_path / '.DS_Store').touch()
    with pytest.raises(FileNotFoundError, match=r'image folder .* is empty. Fix'):
        validate.require_images(tmp_path, ['a'], 'Fix')
    with pytest.raises(FileNotFoundError, match=r"The folder '.*x' does not exist"):
        validate.require_images(tmp_path / 'x', ['a'], 'Fix')
