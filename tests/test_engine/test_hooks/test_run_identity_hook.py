import json

import pytest
import torch
from mmengine.runner import EpochBasedTrainLoop

from eac_mm.apis import build_runner, load_config, train
from eac_mm.engine import RunIdentityHook
from eac_mm.engine.hooks.run_identity_hook import check_length

RECIPE = 'configs/baseline/resnet18_syntheticfer_noise30.py'
SMALL = {
    'train_dataloader.dataset.dataset.size': 16,
    'train_dataloader.batch_size': 8,
    'train_dataloader.num_workers': 0,
    'val_dataloader.dataset.size': 8,
    'val_dataloader.num_workers': 0,
    'test_dataloader.dataset.size': 8,
    'test_dataloader.num_workers': 0,
    'optim_wrapper.type': 'OptimWrapper',
    'train_cfg.max_epochs': 1,
    'visualizer.vis_backends': [],
}


@pytest.fixture(scope='module', autouse=True)
def in_the_repository(pytestconfig):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pytestconfig.rootpath)
        yield


def config(folder, recipe=RECIPE, **options):
    return load_config(recipe, {**SMALL, **options}, str(folder))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """The folder of a finished run of one epoch."""
    folder = tmp_path_factory.mktemp('run')
    train(config(folder))
    return folder


@pytest.fixture(scope='module')
def saved(folder):
    return torch.load(folder / 'epoch_1.pth', weights_only=True)


def save(checkpoint, folder, **meta):
    """Save a copy of a checkpoint with other meta data; None leaves a key out."""
    new = {**checkpoint['meta'], **meta}
    new = {key: value for key, value in new.items() if value is not None}
    folder.mkdir(exist_ok=True)
    torch.save({**checkpoint, 'meta': new}, folder / 'epoch_1.pth')
    return str(folder / 'epoch_1.pth')


def load(cfg, resume=True):
    """Do what happens when training loads a checkpoint, without a step."""
    cfg.resume = resume
    runner = build_runner(cfg)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    runner._val_loop = runner.build_val_loop(runner._val_loop)
    for hook in runner.hooks:
        if isinstance(hook, RunIdentityHook):
            hook.before_run(runner)
    runner.load_or_resume()
    return runner


def test_it_stands_in_checkpoint_and_result(folder, saved):
    identity = saved['meta']['identity']
    assert identity['seed'] == 0
    assert identity['batch_size'] == 8
    assert identity['data']['train']['samples'] == 16
    assert identity['data']['val']['samples'] == 8
    settings = identity['settings']
    assert settings['train_dataloader']['dataset']['rate'] == 0.3
    result = json.loads((folder / 'result.json').read_text())
    assert result['identity'] == identity


def test_another_method_in_the_folder_is_refused_before_anything_is_written(folder):
    before = {p: p.read_bytes() for p in folder.rglob('*') if p.is_file()}
    cfg = config(
        folder, RECIPE.replace('baseline', 'eac'), **{'train_cfg.max_epochs': 2}
    )
    with pytest.raises(
        ValueError, match='model.type: ImageClassifier -> EACClassifier'
    ):
        train(cfg, 'auto')
    assert {p: p.read_bytes() for p in folder.rglob('*') if p.is_file()} == before


def test_every_difference_is_named(folder):
    options = {
        'train_cfg.max_epochs': 2,
        'train_dataloader.dataset.rate': 0.1,
        'train_dataloader.batch_size': 4,
        'randomness.seed': 3,
    }
    with pytest.raises(ValueError, match='epoch_1.pth belongs to another run') as error:
        train(config(folder, **options), 'auto')
    assert str(error.value).splitlines()[1:-1] == [
        '  train_dataloader.dataset.rate: 0.3 -> 0.1',
        '  seed: 0 -> 3',
        '  batch_size: 8 -> 4',
    ]


def test_other_data_under_the_same_settings_is_refused(saved, tmp_path):
    identity = json.loads(json.dumps(saved['meta']['identity']))
    identity['data']['train']['labels'] = '0123456789abcdef'
    path = save(saved, tmp_path / 'run', identity=identity)
    cfg = config(tmp_path / 'run', **{'load_from': path, 'train_cfg.max_epochs': 2})
    with pytest.raises(ValueError, match='data.train.labels: 0123456789abcdef -> '):
        load(cfg)


def test_a_changed_schedule_is_named_and_that_of_the_checkpoint_goes_on(
    folder, tmp_path, capfd
):
    options = {'optim_wrapper.optimizer.lr': 0.5, 'param_scheduler.gamma': 0.1}
    options |= {'train_cfg.max_epochs': 2, 'load_from': str(folder / 'epoch_1.pth')}
    runner = load(config(tmp_path, **options))
    output = ''.join(capfd.readouterr())
    assert 'resuming goes on with the schedule of the checkpoint' in output
    assert 'optim_wrapper.optimizer.lr: 0.002 -> 0.5' in output
    assert 'param_scheduler.gamma: 0.93 -> 0.1' in output
    # MMEngine ends a schedule with the epochs that it was made for.
    assert 'param_scheduler.0 ends after 1 epochs, not 2' in output
    assert runner.optim_wrapper.get_lr()['lr'][0] == 0.002
    assert runner.param_schedulers[0].gamma == 0.93
    (hook,) = (hook for hook in runner.hooks if isinstance(hook, RunIdentityHook))
    kept = hook.identity['settings']
    assert kept['optim_wrapper']['optimizer']['lr'] == 0.002
    assert kept['param_scheduler']['gamma'] == 0.93


def test_a_run_without_a_seed_takes_that_of_its_checkpoint(folder, monkeypatch):
    started = []
    monkeypatch.setattr(
        'eac_mm.apis.training.build_runner', lambda cfg, trust: started.append(cfg)
    )
    monkeypatch.setattr('eac_mm.apis.training._tell_hook', lambda *args: 1 / 0)
    cfg = config(folder, **{'randomness.seed': None, 'train_cfg.max_epochs': 2})
    with pytest.raises(ZeroDivisionError):
        train(cfg, 'auto')
    assert started[0].randomness.seed == 0


def test_old_checkpoints_are_resumed_with_a_warning(saved, tmp_path, capfd):
    path = save(saved, tmp_path / 'run', identity=None)
    options = {'load_from': path, 'train_cfg.max_epochs': 2}
    options['train_dataloader.dataset.rate'] = 0.1
    load(config(tmp_path / 'run', **options))
    assert 'does not say which run it belongs to' in ''.join(capfd.readouterr())


def test_fewer_epochs_than_done_are_refused():
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    loop._max_epochs = 2

    class Runner:
        train_loop, _load_from = loop, 'epoch_3.pth'

    check_length(Runner, dict(epoch=2))
    with pytest.raises(ValueError, match=r'epoch_3.pth is of epoch 3.*max_epochs=3'):
        check_length(Runner, dict(epoch=3))


def reordered(saved):
    names = list(saved['meta']['dataset_meta']['classes'])
    assert len(names) == 7
    return dict(classes=[*names[1:], names[0]])


@pytest.mark.parametrize('role', ['test', 'val'])
def test_testing_with_classes_in_another_order_is_refused(saved, tmp_path, role):
    path = save(saved, tmp_path, dataset_meta=reordered(saved))
    runner = build_runner(config(tmp_path, load_from=path))
    with pytest.raises(ValueError, match=rf'order of the classes of the {role} data'):
        getattr(runner, role)()


def test_testing_checks_the_data(saved, tmp_path, monkeypatch):
    """A checkpoint that does not name its classes, with a head of 7, for 8."""
    path = save(saved, tmp_path, dataset_meta=None)
    eight = [f'class {i}' for i in range(8)]
    options = {'load_from': path, 'test_dataloader.dataset.metainfo.classes': eight}
    with pytest.raises(ValueError, match=r'num_classes=7, but the test data has 8'):
        build_runner(config(tmp_path, **options)).test()


def test_a_checkpoint_without_classes_is_tested_with_a_warning(saved, tmp_path, capfd):
    path = save(saved, tmp_path, dataset_meta=None)
    metrics = build_runner(config(tmp_path, load_from=path)).test()
    assert 'accuracy/top1' in metrics
    assert 'has no class names' in ''.join(capfd.readouterr())


def test_resume_with_classes_in_another_order_is_refused(saved, tmp_path):
    identity = json.loads(json.dumps(saved['meta']['identity']))
    identity['data']['train']['classes'] = reordered(saved)['classes']
    options = {'train_cfg.max_epochs': 2}
    for meta in (dict(identity=identity), dict(identity=None)):
        meta['dataset_meta'] = reordered(saved)
        options['load_from'] = save(saved, tmp_path / 'run', **meta)
        with pytest.raises(ValueError, match='classes'):
            load(config(tmp_path / 'run', **options))


def test_load_from_with_other_classes_needs_a_new_head(saved, tmp_path):
    path = save(saved, tmp_path / 'from', dataset_meta=reordered(saved))
    with pytest.raises(ValueError, match=r'head.fc.weight.* would be taken over'):
        load(config(tmp_path / 'run', load_from=path), resume=False)
    for key in ('head.fc.weight', 'head.fc.bias'):
        saved = {**saved, 'state_dict': {**saved['state_dict']}}
        del saved['state_dict'][key]
    path = save(saved, tmp_path / 'from', dataset_meta=reordered(saved))
    load(config(tmp_path / 'run', load_from=path), resume=False)
