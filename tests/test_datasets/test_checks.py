import os
import re

import pytest

from eac_mm.datasets import checks


def test_choice():
    checks.require_choice('split', 'val', ('train', 'val'))
    with pytest.raises(
        ValueError, match=r"split='dev' is unknown\. Allowed: 'train', 'val'\."
    ):
        checks.require_choice('split', 'dev', ('train', 'val'))


def test_folder(tmp_path):
    checks.require_folder(tmp_path, 'Unpack it.')
    with pytest.raises(FileNotFoundError, match=r"nowhere' does not exist. Unpack it"):
        checks.require_folder(tmp_path / 'nowhere', 'Unpack it.')


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(FileNotFoundError, match=r"The folder '.*file' does not exist"):
        checks.require_folder(tmp_path / 'file', '')


def test_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"The file '.*list.txt' does .* Get"):
        checks.require_file(tmp_path / 'list.txt', 'Get it.')
    with pytest.raises(FileNotFoundError, match='The file'):
        checks.require_file(tmp_path, 'Get it.')


def test_faces(tmp_path):
    checks.require_faces(['a'], tmp_path / 'list', 'val', '')
    with pytest.raises(ValueError, match=r"list' lists no face of split 'val'. Mend"):
        checks.require_faces([], tmp_path / 'list', 'val', 'Mend')


def test_images_reads_the_folder_once(tmp_path, monkeypatch):
    for name in 'abc':
        (tmp_path / name).touch()
    listings = []
    scandir = os.scandir

    def counting(path):
        listings.append(path)
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', counting)
    checks.require_images(tmp_path, ['c', 'a', 'a'], '')
    assert listings == [tmp_path]


def test_images_missing(tmp_path):
    (tmp_path / 'a').touch()
    names = ['a', 'f', 'e', 'd', 'c', 'f']
    with pytest.raises(
        FileNotFoundError, match=r"4 of 5 listed .* in '.*': f, e, d, \.\.\.\. Mend"
    ):
        checks.require_images(tmp_path, names, 'Mend')
    with pytest.raises(FileNotFoundError, match=r"1 of 2 listed .* in '.*': f\. Mend"):
        checks.require_images(tmp_path, ['a', 'f'], 'Mend')


def test_images_empty_or_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'image folder .* is empty. Mend'):
        checks.require_images(tmp_path, ['a'], 'Mend')
    with pytest.raises(FileNotFoundError, match=r"The folder '.*x' does not exist"):
        checks.require_images(tmp_path / 'x', ['a'], 'Mend')


def test_line_error_cuts_long_lines(tmp_path):
    error = checks.line_error(tmp_path, 7, 'x' * 100, 'less')
    assert str(error) == f"{tmp_path}:7: '{'x' * 77}...': expected less."
    error = checks.line_error(tmp_path, 7, 'x' * 80, 'less')
    assert str(error) == f"{tmp_path}:7: '{'x' * 80}': expected less."


@pytest.mark.parametrize('name', ['a.jpg', 'train_00001.jpg', 'a b.png', '..a'])
def test_plain_name(tmp_path, name):
    checks.require_plain_name(tmp_path, 1, name, name)


@pytest.mark.parametrize(
    'name', ['../a.jpg', '/a.jpg', 'sub/a.jpg', '..\\a.jpg', 'C:a.jpg', '..', 'a/..']
)
def test_name_with_a_path(tmp_path, name):
    with pytest.raises(ValueError, match=r':3: .*inside the image folder.*data root'):
        checks.require_plain_name(tmp_path, 3, name, name)


def test_lines(tmp_path):
    path = tmp_path / 'list'
    path.write_bytes(b'\xef\xbb\xbfone 1\r\n two 2 \n\n \n\n')
    assert list(checks.read_lines(path, '')) == [(1, 'one 1'), (2, 'two 2')]
    path.write_text('one 1')
    assert list(checks.read_lines(path, '')) == [(1, 'one 1')]
    path.write_text('')
    assert list(checks.read_lines(path, '')) == []


def test_blank_line_between(tmp_path):
    path = tmp_path / 'list'
    path.write_text('one\n\n\ntwo\n')
    with pytest.raises(ValueError, match=r"list:2: '': expected no blank line between"):
        list(checks.read_lines(path, ''))


def test_lines_of_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='list.* does not exist. Mend'):
        list(checks.read_lines(tmp_path / 'list', 'Mend'))


def test_table(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text('x,y\n1,\n"2,3",4\n')
    assert list(checks.read_table(path, ('x', 'y'), '')) == [
        (2, '1,', ['1', '']),
        (3, '"2,3",4', ['2,3', '4']),
    ]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('y,x\n1,2\n', r"a.csv:1: 'y,x': expected the header x,y\."),
        ('x,y\n1,2\n1\n', r"a.csv:3: '1': expected 2 fields, found 1\."),
        ('x,y\n1,2,3\n', r"a.csv:2: '1,2,3': expected 2 fields, found 3\."),
        ('x,y\n' + 'z' * 200_000, r'a.csv:2: .*: expected a csv row \(field larger'),
        ('', r"a.csv' is empty. Mend"),
        ('\n\n', r"a.csv' is empty. Mend"),
    ],
)
def test_bad_table(tmp_path, text, message):
    path = tmp_path / 'a.csv'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        list(checks.read_table(path, ('x', 'y'), 'Mend'))


def test_binary_file_is_named(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_bytes(b'\x89PNG\xff\xfe\x00')
    with pytest.raises(ValueError, match=re.escape(f'{path}:1: ')):
        list(checks.read_table(path, ('x', 'y'), ''))
