"""A small run and what may happen in its folder afterwards."""

import json
import multiprocessing
import shutil

import pytest
import torch
from mmengine.runner import Runner

from eac_mm import apis
from eac_mm.apis import load_config, train, training
from eac_mm.utils import alone

RECIPE = 'configs/baseline/resnet18_syntheticfer_noise30.py'
SMALL = {
    'train_dataloader.dataset.dataset.size': 16,
    'train_dataloader.batch_size': 8,
    'val_dataloader.dataset.size': 8,
    'optim_wrapper.type': 'OptimWrapper',
    'train_cfg.max_epochs': 1,
    'visualizer.vis_backends': [],
}


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)


def config(folder, epochs=1, **options):
    options = {**SMALL, 'train_cfg.max_epochs': epochs, **options}
    return load_config(RECIPE, options, str(folder))


@pytest.fixture(scope='module')
def finished(tmp_path_factory, pytestconfig):
    """A finished run of three epochs, with epochs 2 and 3 kept."""
    folder = tmp_path_factory.mktemp('finished')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pytestconfig.rootpath)
        train(config(folder, epochs=3))
    assert {p.name for p in folder.glob('*.pth')} == {'epoch_2.pth', 'epoch_3.pth'}
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of it with a user's own files."""
    shutil.copytree(finished, tmp_path / 'run')
    (tmp_path / 'run' / 'notes.txt').write_text('mine')
    return tmp_path / 'run'


def content(folder):
    return {p: p.read_bytes() for p in folder.rglob('*') if p.is_file()}


def test_a_new_run_stops_before_it_writes_anything(folder):
    before = content(folder)
    with pytest.raises(ValueError, match='--resume.*--overwrite.*--work-dir'):
        train(config(folder))
    assert content(folder) == before


def test_a_folder_that_another_process_trains_in_is_left_alone(folder, monkeypatch):
    monkeypatch.setattr(alone, 'WAIT', 0)
    with alone.alone_in(folder):
        before = content(folder)
        with pytest.raises(RuntimeError, match='another process trains in .* Fix: '):
            train(config(folder, epochs=5), resume_from='auto')
        assert content(folder) == before


def test_the_hook_stops_runs_that_other_tools_start(folder):
    runner = apis.build_runner(config(folder))
    with pytest.raises(ValueError, match='holds another run'):
        runner.train()
    assert len(list(folder.glob('*.pth'))) == 2


def test_overwrite_deletes_only_the_old_run(folder):
    logs = [p for p in folder.iterdir() if p.is_dir()]
    train(config(folder), overwrite=True)
    assert {p.name for p in folder.glob('*.pth')} == {'epoch_1.pth'}
    assert len(json.loads((folder / 'result.json').read_text())['epochs']) == 1
    assert (folder / 'notes.txt').read_text() == 'mine'
    assert all(log.is_dir() for log in logs)


def test_overwrite_deletes_nothing_if_a_check_fails(folder):
    cfg = config(folder, **{'model.head.num_classes': 3})
    before = {p.name for p in folder.glob('*.pth')}
    with pytest.raises(ValueError, match='num_classes=3'):
        train(cfg, overwrite=True)
    assert {p.name for p in folder.glob('*.pth')} == before


def test_overwrite_keeps_what_the_run_starts_from(folder):
    cfg = config(folder, load_from=str(folder / 'epoch_3.pth'))
    with pytest.raises(ValueError, match='would delete .*epoch_3.pth'):
        train(cfg, overwrite=True)
    assert (folder / 'epoch_3.pth').is_file()


def test_resume_in_its_own_folder_keeps_the_number_of_checkpoints(folder):
    train(config(folder, epochs=4), 'auto')
    assert {p.name for p in folder.glob('*.pth')} == {'epoch_3.pth', 'epoch_4.pth'}
    result = json.loads((folder / 'result.json').read_text())
    assert [e['epoch'] for e in result['epochs']] == [1, 2, 3, 4]


@pytest.mark.parametrize('wrapper', [None, 'model'])
def test_weights_of_others_are_no_run_to_resume(tmp_path, wrapper):
    path, weights = tmp_path / 'a.pth', dict(w=torch.ones(1))
    torch.save({wrapper: weights, 'optimizer': {}} if wrapper else weights, path)
    with pytest.raises(ValueError, match=r'no optimiser state.*load_from=FILE'):
        train(config(tmp_path / 'run'), resume_from=str(path))
    assert not (tmp_path / 'run').exists()


def test_resume_in_an_empty_folder_is_a_new_run(tmp_path):
    train(config(tmp_path / 'new'), 'auto')
    assert (tmp_path / 'new' / 'epoch_1.pth').is_file()


def test_resume_into_another_folder(folder, tmp_path):
    before = content(folder)
    train(config(tmp_path / 'branch', epochs=4), str(folder / 'epoch_3.pth'))
    assert [p.name for p in (tmp_path / 'branch').glob('*.pth')] == ['epoch_4.pth']
    assert content(folder) == before
    with pytest.raises(ValueError, match='holds another run'):
        train(config(tmp_path / 'branch', epochs=4), str(folder / 'epoch_3.pth'))


def test_resume_without_a_checkpoint_keeps_a_finished_result(folder):
    for path in folder.glob('*.pth'):
        path.unlink()
    with pytest.raises(ValueError, match='the result of a finished run.*--overwrite'):
        train(config(folder), 'auto')
    result = json.loads((folder / 'result.json').read_text())
    (folder / 'result.json').write_text(json.dumps({**result, 'finished': False}))
    train(config(folder), 'auto')
    assert (folder / 'epoch_1.pth').is_file()


def test_resume_and_overwrite_exclude_each_other(tmp_path):
    with pytest.raises(ValueError, match='one of --resume and --overwrite'):
        train(config(tmp_path), 'auto', overwrite=True)


@pytest.mark.parametrize('ours', [True, False])
def test_a_restarted_job_resumes_what_it_trained(folder, monkeypatch, ours):
    monkeypatch.setattr(training, 'restarted_in', lambda folder: ours)
    if ours:
        train(config(folder, epochs=4), overwrite=True)
        assert {p.name for p in folder.glob('*.pth')} == {'epoch_3.pth', 'epoch_4.pth'}
    else:
        with pytest.raises(ValueError, match='holds another run'):
            train(config(folder, epochs=4))


def test_a_job_restarted_before_its_first_checkpoint_starts_as_it_was_told(
    folder, tmp_path, monkeypatch
):
    other = tmp_path / 'branch'
    other.mkdir()
    (other / 'epoch_4.pth').write_bytes(b'PK cut')
    (other / 'result.json').write_text('{"finished": false}')
    monkeypatch.setattr(training, 'restarted_in', lambda folder: True)
    train(config(other, epochs=4), str(folder / 'epoch_3.pth'))
    result = json.loads((other / 'result.json').read_text())
    assert [e['epoch'] for e in result['epochs']] == [1, 2, 3, 4]
    cfg = config(tmp_path / 'options', epochs=4, resume=True)
    cfg.load_from = str(folder / 'epoch_3.pth')
    train(cfg)
    assert [p.name for p in (tmp_path / 'options').glob('*.pth')] == ['epoch_4.pth']
    train(config(tmp_path / 'new'), overwrite=True)  # its old run is deleted already
    assert (tmp_path / 'new' / 'epoch_1.pth').is_file()


def test_no_worker_is_left(tmp_path):
    train(config(tmp_path / 'run'))
    assert multiprocessing.active_children() == []


def test_resuming_reads_the_tensors_once(folder, monkeypatch):
    """The other looks at the file take what they need of it."""
    mapped, read = [], torch.load

    def load(*args, **kwargs):
        mapped.append(bool(kwargs.get('mmap')))
        return read(*args, **kwargs)

    monkeypatch.setattr(torch, 'load', load)
    train(config(folder, epochs=3), 'auto')
    assert sorted(mapped) == [False, True, True]


def test_the_best_checkpoint_of_another_folder_is_not_deleted(tmp_path):
    best = {'default_hooks.checkpoint.save_best': 'accuracy/top1'}
    train(config(tmp_path / 'one', **best))
    (old,) = (tmp_path / 'one').glob('best_*.pth')
    # Whatever the next epoch scores, it is better.
    saved = torch.load(tmp_path / 'one' / 'epoch_1.pth', weights_only=True)
    saved['message_hub']['runtime_info']['best_score'] = -1.0
    torch.save(saved, tmp_path / 'one' / 'epoch_1.pth')
    start = str(tmp_path / 'one' / 'epoch_1.pth')
    train(config(tmp_path / 'two', epochs=2, **best), start)
    assert old.is_file()
    assert len(list((tmp_path / 'two').glob('best_*.pth'))) == 1


@pytest.mark.parametrize('error', [EOFError, ConnectionResetError])
def test_a_worker_that_dies_in_a_handover_is_named(tmp_path, monkeypatch, error):
    def receive(*_, **__):
        raise error

    options = {'train_dataloader.num_workers': 1}
    with monkeypatch.context() as patch:
        loader = 'torch.utils.data.dataloader._MultiProcessingDataLoaderIter'
        patch.setattr(f'{loader}._try_get_data', receive)
        with pytest.raises(RuntimeError, match='DataLoader worker died.* Fix: '):
            train(config(tmp_path / 'a', **options))
    monkeypatch.setattr(Runner, 'train', receive)
    with pytest.raises(error):
        train(config(tmp_path / 'b'))
