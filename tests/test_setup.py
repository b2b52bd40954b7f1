"""What pip is told, and that it agrees with what the package checks at import."""

import itertools
import runpy
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import setuptools

from eac_mm.utils import compat
from eac_mm.version import __version__

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run_setup(monkeypatch, tmp_path):
    """Run setup.py beside the given distributions; return setup()'s arguments."""

    def run(*installed):
        for name in installed:
            folder = tmp_path / f'{name}.dist-info'
            folder.mkdir()
            project, version = name.split('-')
            (folder / 'METADATA').write_text(
                f'Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n'
            )
        given = {}
        monkeypatch.setattr(setuptools, 'setup', given.update)
        monkeypatch.setattr(sysconfig, 'get_path', lambda name: str(tmp_path))
        monkeypatch.setattr('sys.path', [])
        runpy.run_path(str(ROOT / 'setup.py'))
        return given

    return run


def test_mmcv_lite_where_there_is_no_mmcv(run_setup):
    required = run_setup('numpy-2.0.0')['install_requires']
    assert 'mmcv-lite>=2.0.0,<2.4.0' in required
    assert not any(line.startswith('mmcv>') for line in required)


def test_a_full_mmcv_is_kept(run_setup):
    required = run_setup('mmcv-2.1.0')['install_requires']
    assert 'mmcv>=2.0.0,<2.4.0' in required
    assert not any(line.startswith('mmcv-lite') for line in required)


def test_ranges_agree_with_those_checked_at_import(run_setup):
    required = run_setup()['install_requires']
    for name, (low, high) in compat.SUPPORTED.items():
        names = ('mmcv-lite',) if name == 'mmcv' else (name,)
        assert any(f'{n}>={low},<{high}' in required for n in names), name


def test_the_tested_set_is_in_range(run_setup):
    from packaging.requirements import Requirement

    lines = (ROOT / 'requirements' / 'constraints.txt').read_text().splitlines()
    pins = dict(line.split('==') for line in lines if '==' in line and line[0] != '#')
    given = run_setup()
    checked = set()
    extras = given['extras_require'].values()
    for line in [*given['install_requires'], *itertools.chain(*extras)]:
        requirement = Requirement(line)
        if requirement.name in pins:
            assert pins[requirement.name] in requirement.specifier, line
            checked.add(requirement.name)
    assert checked == set(pins)
    assert given['version'] == __version__


def files_below(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }


def test_recipes_and_tools_are_in_the_package(tmp_path):
    stale = tmp_path / 'lib' / 'eac_mm' / '.mim' / 'configs' / 'eac' / 'renamed.py'
    stale.parent.mkdir(parents=True)
    stale.write_text('')
    (tmp_path / 'info').mkdir()
    words = f'egg_info --egg-base {tmp_path}/info build_py --build-lib {tmp_path}/lib'
    command = [sys.executable, 'setup.py', '--quiet', *words.split()]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    built = files_below(tmp_path / 'lib' / 'eac_mm' / '.mim')
    wanted = {
        Path(name, path): content
        for name in ('configs', 'tools')
        for path, content in files_below(ROOT / name).items()
    }
    wanted[Path('model-index.yml')] = (ROOT / 'model-index.yml').read_bytes()
    assert built == wanted
    assert Path('configs/eac/resnet18_rafdb_noise30.py') in built


def test_the_lowest_versions_are_those_that_are_trained_with():
    """.ci/lowest.sh installs them; torch and torchvision are left out."""
    from packaging.requirements import Requirement

    lines = (ROOT / 'requirements' / 'lowest.txt').read_text().splitlines()
    lines = [line.split('#')[0].strip() for line in lines if line[0] != '#']
    pins = dict(line.split('==') for line in lines)
    required = (ROOT / 'requirements' / 'runtime.txt').read_text().splitlines()
    required = [line.split('#')[0].strip() for line in required]
    bounds = {}
    for requirement in map(Requirement, filter(None, [*required, 'mmcv-lite>=2.0.0'])):
        (low,) = (s.version for s in requirement.specifier if s.operator == '>=')
        bounds[requirement.name] = low
    for name, low in bounds.items():
        if name not in ('torch', 'torchvision'):
            # '4.8' means 4.8.0, and may stand for its first release 4.8.0.74.
            assert f'{pins[name]}.'.startswith(f'{low}.'), name
