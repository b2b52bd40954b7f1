"""From short runs on synthetic faces to figures."""

import cv2
import numpy as np
import pytest
import short_training
import torch

from eac_mm.apis import load_config
from eac_mm.apis.figures import (
    attention_figure,
    check_size,
    choose,
    embedding_figure,
    features_of,
    gives_bgr,
    losses_figure,
    pairs_figure,
)
from eac_mm.apis.plain_images import as_tested
from eac_mm.apis.trained_model import load_model
from eac_mm.datasets import FolderFaces, NoisyLabels, SyntheticFER

RECIPE = 'configs/eac/resnet18_syntheticfer_noise30.py'
SMALL = {'train_dataloader.dataset.dataset.size': short_training.SAMPLES}


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)


@pytest.fixture(scope='module')
def run(tmp_path_factory, pytestconfig):
    folder = tmp_path_factory.mktemp('figures') / 'run'
    recipe = pytestconfig.rootpath / RECIPE
    options = {'default_hooks.recorder.type': 'TrainingRecorderHook'}
    short_training.train(recipe, folder, **options)
    return folder


@pytest.fixture(scope='module')
def model(run):
    return load_model(run)


@pytest.fixture
def data():
    return as_tested(load_config(RECIPE, SMALL))


@pytest.mark.parametrize(
    ('recipe', 'bgr'),
    [
        ('eac/resnet18_syntheticfer_noise30', True),
        ('eac/resnet18_cifar100_noise10', False),
    ],
)
def test_the_order_of_the_channels_of_images_in_memory(recipe, bgr):
    cfg = load_config(f'configs/{recipe}.py')
    faces = NoisyLabels(SyntheticFER(size=2, img_size=48, pipeline=[]))
    assert gives_bgr(cfg, faces) == bgr


def test_files_are_bgr(tmp_path):
    (tmp_path / 'a').mkdir()
    cv2.imwrite(str(tmp_path / 'a/1.png'), np.zeros((4, 4, 3), np.uint8))
    cfg = load_config(RECIPE, {'model.data_preprocessor.to_rgb': False})
    assert gives_bgr(cfg, FolderFaces(data_root=str(tmp_path)))


def test_wrong_labels_come_first(data):
    wrong = np.flatnonzero(data.given_labels != data.clean_labels)
    assert choose(data, None, 3) == wrong[:3].tolist()
    assert choose(data, [5, 0], 3) == [5, 0]
    with pytest.raises(ValueError, match='no training image 24. Fix: give 0 to 23'):
        choose(data, [24], 3)


def test_clean_data_is_shown_from_its_beginning():
    options = {**SMALL, 'train_dataloader.dataset.rate': 0.0}
    assert choose(as_tested(load_config(RECIPE, options)), None, 2) == [0, 1]


def test_features_are_what_the_classifier_takes(model, data):
    images = torch.stack([data[i]['inputs'] for i in range(3)])
    features = torch.from_numpy(features_of(model, images))
    assert features.shape == (3, model.network.head.fc.in_features)
    inputs = model.network.data_preprocessor(dict(inputs=list(images)))['inputs']
    with torch.no_grad():
        logits = model.network(inputs, mode='tensor')
        assert torch.allclose(model.network.head.fc(features), logits, atol=1e-4)


def test_another_size_is_refused(model, data):
    with pytest.raises(ValueError, match='takes images of 48 px, and the recipe gives'):
        check_size(model, data[0]['inputs'][:, :, :24])


def test_attention(run, data):
    figure = attention_figure(dict(a=run, b=run), RECIPE, [1, 2], options=SMALL)
    assert len(figure.axes) == 2 * 5
    image = data[1]['inputs'].permute(1, 2, 0).numpy()[..., ::-1]
    assert (figure.axes[0].images[0].get_array() == image).all()
    assert figure.axes[1].get_xlabel() == figure.axes[3].get_xlabel()


def test_embedding(run):
    figure = embedding_figure(run, RECIPE, count=20, options=SMALL)
    for axes in figure.axes:
        assert sum(len(drawn.get_offsets()) for drawn in axes.collections) == 20


def test_losses(run):
    figure = losses_figure(dict(EAC=run))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ['EAC, epoch 1', 'EAC, epoch 2']


def test_pairs():
    figure = pairs_figure(RECIPE, [7], epochs=(3,), options=SMALL)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ['epoch 3, view 1', 'epoch 3, view 2']
