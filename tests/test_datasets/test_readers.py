import re

import pytest

from eac_mm.datasets import readers

FIX = 'Fix: correct this line, or get the file anew.'


def test_line_error_cuts_long_lines(tmp_path):
    error = readers.line_error(tmp_path, 7, 'x' * 100, 'less')
    assert str(error) == f"{tmp_path}:7: '{'x' * 77}...': expected less. {FIX}"
    error = readers.line_error(tmp_path, 7, 'x' * 80, 'less')
    assert str(error) == f"{tmp_path}:7: '{'x' * 80}': expected less. {FIX}"


@pytest.mark.parametrize('name', ['a.jpg', 'train_00001.jpg', 'a b.png', '..a'])
def test_plain_name(tmp_path, name):
    readers.require_plain_name(tmp_path, 1, name, name)


@pytest.mark.parametrize(
    'name', ['../a.jpg', '/a.jpg', 'sub/a.jpg', '..\\a.jpg', 'C:a.jpg', '..', 'a/..']
)
def test_name_with_a_path(tmp_path, name):
    with pytest.raises(ValueError, match=r':3: .*inside the image folder.*data root'):
        readers.require_plain_name(tmp_path, 3, name, name)


def test_lines(tmp_path):
    path = tmp_path / 'list'
    path.write_bytes(b'\xef\xbb\xbfone 1\r\n two 2 \n\n \n\n')
    assert list(readers.read_lines(path, '')) == [(1, 'one 1'), (2, 'two 2')]
    path.write_text('one 1')
    assert list(readers.read_lines(path, '')) == [(1, 'one 1')]
    path.write_text('')
    assert list(readers.read_lines(path, '')) == []


def test_blank_line_between(tmp_path):
    path = tmp_path / 'list'
    path.write_text('one\n\n\ntwo\n')
    with pytest.raises(ValueError, match=r"list:2: '': expected no blank line between"):
        list(readers.read_lines(path, ''))


def test_lines_of_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='list.* does not exist. Fix'):
        list(readers.read_lines(tmp_path / 'list', 'Fix'))


def test_table(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text('x,y\n1,\n"2,3",4\n')
    assert list(readers.read_table(path, ('x', 'y'), '')) == [
        (2, '1,', ['1', '']),
        (3, '"2,3",4', ['2,3', '4']),
    ]


def test_blanks_in_the_header(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text('x, y \n1, 2\n')
    assert list(readers.read_table(path, ('x', 'y'), '')) == [(2, '1, 2', ['1', ' 2'])]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('y,x\n1,2\n', r"a.csv:1: 'y,x': expected the header x,y\."),
        ('x,y\n1,2\n1\n', r"a.csv:3: '1': expected 2 fields, found 1\."),
        ('x,y\n1,2,3\n', r"a.csv:2: '1,2,3': expected 2 fields, found 3\."),
        ('x,y\n' + 'z' * 200_000, r'a.csv:2: .*: expected a csv row \(field larger'),
        ('', r"a.csv' is empty. Fix"),
        ('\n\n', r"a.csv' is empty. Fix"),
    ],
)
def test_bad_table(tmp_path, text, message):
    path = tmp_path / 'a.csv'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        list(readers.read_table(path, ('x', 'y'), 'Fix'))


def test_binary_file_is_named(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_bytes(b'\x89PNG\xff\xfe\x00')
    with pytest.raises(ValueError, match=re.escape(f'{path}:1: ')):
        list(readers.read_table(path, ('x', 'y'), ''))
