import pytest
import torch
from safetensors.torch import save_file

from eac_mm.utils import checkpoints


def save(path, value=0.0, size=4000):
    torch.save(dict(state_dict=dict(w=torch.full((size,), value))), path)
    return path


def test_newest_first_by_number(tmp_path):
    for name in ('epoch_2.pth', 'epoch_10.pth', 'epoch_9.pth', 'best_epoch_11.pth'):
        save(tmp_path / name)
    names = [path.name for path in checkpoints.list_checkpoints(tmp_path)]
    assert names == ['epoch_10.pth', 'epoch_9.pth', 'epoch_2.pth']
    assert checkpoints.list_checkpoints(tmp_path / 'none') == []


def test_every_cut_is_noticed(tmp_path):
    whole = save(tmp_path / 'epoch_1.pth')
    assert checkpoints.damage(whole) is None
    content = whole.read_bytes()
    cut = tmp_path / 'epoch_2.pth'
    for tenth in range(10):
        cut.write_bytes(content[: len(content) * tenth // 10])
        assert checkpoints.damage(cut) is not None, tenth
    found = dict(checkpoints.intact_checkpoints(tmp_path))
    assert list(found) == [cut, whole]
    assert found[whole] is None


def test_a_flipped_bit_is_noticed(tmp_path):
    path = save(tmp_path / 'epoch_1.pth', value=1.0)
    content = bytearray(path.read_bytes())
    position = bytes(content).index(torch.ones(8).numpy().tobytes()) + 100
    content[position] ^= 1
    path.write_bytes(content)
    torch.load(path, weights_only=True)  # PyTorch itself does not notice
    assert 'checksum' in checkpoints.damage(path)


@pytest.mark.parametrize(
    ('new', 'found'), [(True, 'zip'), (False, 'legacy'), (None, 'safetensors')]
)
def test_formats(tmp_path, new, found):
    path, weights = tmp_path / 'a', dict(w=torch.ones(2))
    if new is None:
        save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=new)
    assert checkpoints.format_of(path.read_bytes()[:32]) == found


@pytest.mark.parametrize('head', [b'', b'text', b'PK', bytes(32), b'\x80\x04x'])
def test_other_formats(head):
    assert checkpoints.format_of(head) is None


def test_weights_in_a_file():
    weights = dict(w=1)
    for name in checkpoints.WRAPPERS:
        assert checkpoints.weights_in({name: weights, 'epoch': 1}) is weights
    for alone in (weights, dict(model=1), [1]):
        assert checkpoints.weights_in(alone) is alone


OF_A_RUN = [
    'best_accuracy_top1_epoch_3.pth',
    'epoch_12.pth',
    'epoch_3-0123abcd.pth',
    'iter_100.pth',
    'last_checkpoint',
    'result.json',
]
FOREIGN = [
    'epoch_1.pth.txt',
    'epoch_one.pth',
    'metrics.json',
    'my_epoch_1.pth',
    'notes.txt',
    'pretrained.pth',
    'recipe.py',
    'train.log',
]


def fill(folder, names):
    for name in names:
        (folder / name).write_bytes(b'x')


@pytest.mark.parametrize('name', [*OF_A_RUN, 'records/epoch_001.npz'])
def test_every_file_of_a_run_keeps_another_out(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    fill(tmp_path, [name])
    with pytest.raises(ValueError, match='--resume.*--overwrite.*--work-dir') as error:
        checkpoints.refuse_run_files(tmp_path)
    assert f'{tmp_path} holds another run ({name})' in str(error.value)


def test_foreign_files_and_logs_keep_nobody_out(tmp_path):
    fill(tmp_path, FOREIGN)
    (tmp_path / '20250101_120000').mkdir()
    checkpoints.refuse_run_files(tmp_path)
    checkpoints.refuse_run_files(tmp_path / 'none')


def test_only_files_of_a_run_are_removed(tmp_path):
    fill(tmp_path, OF_A_RUN + FOREIGN)
    log, records = tmp_path / '20250101_120000', tmp_path / 'records'
    log.mkdir()
    records.mkdir()
    fill(log, ['epoch_1.pth'])
    fill(records, ['epoch_001.npz', 'mine.npz', 'samples.npz'])
    recorded = ['records/epoch_001.npz', 'records/samples.npz']
    assert checkpoints.remove_run_files(tmp_path) == OF_A_RUN + recorded
    kept = [p.name for p in tmp_path.iterdir() if p not in (log, records)]
    assert sorted(kept) == FOREIGN
    assert [p.name for p in records.iterdir()] == ['mine.npz']
    assert (log / 'epoch_1.pth').exists()
    checkpoints.refuse_run_files(tmp_path)
