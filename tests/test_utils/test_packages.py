import hashlib

import pytest

from eac_mm.utils.packages import check_sha256, find_package_file


def test_a_package_is_not_imported(tmp_path, monkeypatch):
    folder = tmp_path / 'broken_package'
    folder.mkdir()
    (folder / '__init__.py').write_text('raise ImportError')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r'broken, which is installed without'):
        find_package_file('broken_package', 'a.bin', 'broken', 'Fix: it.')
    (folder / 'a.bin').touch()
    found = find_package_file('broken_package', 'a.bin', 'broken', 'Fix: it.')
    assert found == folder / 'a.bin'


def test_a_missing_package():
    with pytest.raises(FileNotFoundError, match=r'none, which is not installed. Fix:'):
        find_package_file('eac_mm_none', 'a.bin', 'none', 'Fix: it.')


def test_sha256():
    check_sha256('a', b'abc', hashlib.sha256(b'abc').hexdigest(), '')
    with pytest.raises(ValueError, match=r'a is not the file.*Fix: it'):
        check_sha256('a', b'abd', hashlib.sha256(b'abc').hexdigest(), 'Fix: it.')
