import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'tools'))
import check  # noqa: E402


@pytest.fixture
def run(rafdb_root, tmp_path, small_options, as_arguments, capsys):
    """Check a recipe of RAF-DB on a copy of the made images, changed as is asked."""

    def call(*words, spoil=lambda root: None, **options):
        root = Path(shutil.copytree(rafdb_root, tmp_path / 'rafdb'))
        spoil(root)
        small = {
            key: str(root) if key.endswith('data_root') else value
            for key, value in small_options.items()
        }
        arguments = as_arguments({**small, **options})
        recipe = 'baseline/resnet18_rafdb_noise30'
        status = check.main([recipe, *words, '--cfg-options', *arguments])
        return status, capsys.readouterr().out

    return call


def cut_an_image(root):
    path = root / 'Image' / 'aligned' / 'test_00001_aligned.jpg'
    path.write_bytes(path.read_bytes()[:-500])


def test_problems_and_images_together(run):
    status, said = run(spoil=cut_an_image, **{'optim_wrapper.optimizer.lr': -1})
    assert status == 1
    assert 'problems: 1\n  1. optim_wrapper: ' in said
    assert '! images that cannot be read: 1' in said
    assert said.rstrip().endswith('a training cannot start.')


def test_bad_images_alone(run):
    status, said = run(spoil=cut_an_image)
    assert status == 1
    assert 'problems:' not in said and 'a training can start.' in said


def test_without_images(run):
    status, said = run('--no-images', spoil=cut_an_image)
    assert status == 0
    assert 'cannot be read' not in said


def test_data_that_is_not_there_is_said_once(run):
    status, said = run(spoil=shutil.rmtree)
    assert status == 1
    assert said.count('does not exist') == 1
