import numpy as np
import pytest
import torch
from trained import RECIPE, save_checkpoint

from eac_mm.apis import load_model, pretrained_models, trained_model
from eac_mm.datasets.faces.expressions import EXPRESSIONS


@pytest.fixture
def checkpoint(tmp_path):
    return save_checkpoint(tmp_path / 'run' / 'epoch_2.pth')


def test_what_a_checkpoint_says(checkpoint):
    model = load_model(checkpoint, device='cpu')
    assert model.classes == EXPRESSIONS
    assert (model.size, model.temperature, model.precision) == (48, 1.0, 'float32')
    assert [step['type'] for step in model.transforms] == ['Resize', 'PackInputs']
    assert model.template.name == 'arcface'
    assert not model.network.training
    saved = torch.load(checkpoint, weights_only=True)['state_dict']
    for key, value in model.network.state_dict().items():
        assert torch.equal(value, saved[key]), key
    packed = model.pipeline()(dict(img=np.zeros((9, 9, 3), np.uint8)))
    assert packed['inputs'].shape == (3, 48, 48)


def test_meta_of_a_published_checkpoint(tmp_path):
    path = save_checkpoint(tmp_path / 'a.pth', temperature=1.5, precision='bfloat16')
    model = load_model(path)
    assert (model.temperature, model.precision) == (1.5, 'bfloat16')


def test_the_template_of_the_data_set(tmp_path):
    recipe = RECIPE.replace('syntheticfer_noise30', 'ferplus_noise30-small')
    model = load_model(save_checkpoint(tmp_path / 'a.pth', recipe))
    assert (model.template.name, model.template.grey) == ('ferplus', True)
    # Loading is the aligner's work.
    assert [step['type'] for step in model.transforms] == ['Resize', 'PackInputs']
    options = {'val_dataloader.dataset.metainfo': dict(template='arcface')}
    model = load_model(save_checkpoint(tmp_path / 'b.pth', recipe, options))
    assert model.template.name == 'arcface'


def test_half_precision_weights(checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    content['state_dict'] = {
        key: value.half() if value.is_floating_point() else value
        for key, value in content['state_dict'].items()
    }
    torch.save(content, tmp_path / 'half.pth')
    network = load_model(tmp_path / 'half.pth').network
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_names_of_a_model(checkpoint, tmp_path, monkeypatch):
    newer = save_checkpoint(tmp_path / 'run' / 'epoch_10.pth')
    (tmp_path / 'run' / 'epoch_11.pth').write_bytes(b'cut off')
    assert load_model(tmp_path / 'run').path == newer
    monkeypatch.setattr(trained_model, 'PRETRAINED', tmp_path / 'run')
    assert list(pretrained_models()) == ['epoch_10', 'epoch_11', 'epoch_2']
    assert load_model('epoch_2').path == checkpoint


def test_what_comes_with_the_package_loads():
    for name in pretrained_models():
        assert load_model(name).classes == EXPRESSIONS


def test_no_model(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model 'nix' is no .*Fix: name one"):
        load_model('nix')
    with pytest.raises(FileNotFoundError, match=r'no whole checkpoint.*Fix: name'):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(meta={}), 'does not say how its network is built.*Fix: .*--config'),
        (dict(state_dict={'a': torch.zeros(1)}), 'belongs to another model'),
        (dict(extra=np.float64), 'it does not load as tensors and plain values'),
    ],
)
def test_other_files_are_refused(checkpoint, change, message):
    content = torch.load(checkpoint, weights_only=True)
    torch.save({**content, **change}, checkpoint)
    with pytest.raises(ValueError, match=message):
        load_model(checkpoint)


def test_a_run_without_validation(tmp_path):
    path = save_checkpoint(tmp_path / 'a.pth')
    content = torch.load(path, weights_only=True)
    del content['meta']['identity']['settings']['val_dataloader']
    torch.save(content, path)
    with pytest.raises(ValueError, match=r'without validation data.*Fix: name a rec'):
        load_model(path)
    assert load_model(path, RECIPE).size == 48


def test_no_resize_and_no_classes(tmp_path):
    options = {'val_dataloader.dataset.pipeline': [dict(type='PackInputs')]}
    path = save_checkpoint(tmp_path / 'a.pth', options=options)
    with pytest.raises(ValueError, match=r'has no Resize.*Fix: add one'):
        load_model(path)
    path = save_checkpoint(tmp_path / 'b.pth')
    content = torch.load(path, weights_only=True)
    del content['meta']['dataset_meta']
    torch.save(content, path)
    with pytest.raises(ValueError, match=r'no names of its classes.*Fix: take'):
        load_model(path)


def test_a_config_for_bare_weights(checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    meta = dict(dataset_meta=content['meta']['dataset_meta'])
    torch.save(dict(state_dict=content['state_dict'], meta=meta), tmp_path / 'b.pth')
    model = load_model(tmp_path / 'b.pth', RECIPE)
    assert (model.size, model.classes) == (48, EXPRESSIONS)


def test_an_unknown_part(tmp_path):
    path = save_checkpoint(tmp_path / 'a.pth')
    content = torch.load(path, weights_only=True)
    content['meta']['identity']['settings']['model']['backbone']['type'] = 'Mine'
    torch.save(content, path)
    with pytest.raises(ValueError, match=r'cannot be built.*Mine.*Fix: import'):
        load_model(path)
