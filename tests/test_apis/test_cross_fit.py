from pathlib import Path

import numpy as np
import pytest
import torch
from mmpretrain.registry import DATASETS

from eac_mm.apis import cross_fit, load_config
from eac_mm.datasets import AnnotatedLabels, SyntheticFER
from eac_mm.utils.fold_predictions import read_fold_predictions

RECIPE = Path(__file__).parents[2] / 'configs/baseline/resnet18_syntheticfer_noise30.py'
SIZE = 10


class Teller(torch.nn.Module):
    """A model that names the fold it was trained on, and keeps what it saw."""

    def __init__(self, label):
        super().__init__()
        self.label, self.seen = label, []

    def test_step(self, batch):
        self.seen += [image.float().mean().item() for image in batch['inputs']]
        for sample in batch['data_samples']:
            sample.set_pred_score(torch.eye(7)[self.label] * 0.4 + 0.1)
        return batch['data_samples']


@pytest.fixture
def cfg(tmp_path):
    options = {
        'train_dataloader.dataset.dataset.size': SIZE,
        'train_dataloader.num_workers': 0,
        'val_dataloader.num_workers': 0,
        'val_dataloader.batch_size': 2,
    }
    return load_config(RECIPE, options, str(tmp_path / 'runs'))


def test_each_sample_is_labelled_by_those_that_did_not_see_it(
    cfg, tmp_path, monkeypatch
):
    trained, models = [], []

    def train(one, resume_from):
        assert resume_from == 'auto' and one.val_cfg is None
        data = DATASETS.build(one.train_dataloader.dataset)
        trained.append(set(data._ori_indices))
        models.append(Teller(len(trained)))
        return models[-1]

    monkeypatch.setitem(cross_fit.__globals__, 'train', train)
    out = tmp_path / 'annotator.txt'
    manifest = cross_fit(cfg, out, folds=3, seed=1)
    assert cfg.train_dataloader.dataset.type == 'NoisyLabels'  # unchanged

    settings = cfg.train_dataloader.dataset.to_dict()
    settings.update(type='AnnotatedLabels', annotators=[str(out)])
    data = DATASETS.build(settings)
    assert isinstance(data, AnnotatedLabels)
    labels = data.annotator_labels[:, 0]
    held_out = [set(np.flatnonzero(labels == fold)) for fold in (1, 2, 3)]
    assert sorted(map(len, held_out)) == [3, 3, 4]
    for labelled, seen in zip(held_out, trained, strict=True):
        assert labelled | seen == set(range(SIZE)) and not labelled & seen
    # The images are those of the fold, without erasing and flip.
    faces = SyntheticFER(split='train', size=SIZE, img_size=48)
    for labelled, model in zip(held_out, models, strict=True):
        means = [faces[i]['img'].mean() for i in labelled]
        assert sorted(model.seen) == pytest.approx(sorted(means), rel=1e-5)

    # The probabilities of each sample are those of the network that did not see it.
    folds = read_fold_predictions(tmp_path / 'annotator.npz')
    wanted = np.full((SIZE, 7), 0.1)
    wanted[np.arange(SIZE), labels] = 0.5
    np.testing.assert_allclose(folds.probabilities, wanted, atol=1e-6)
    np.testing.assert_array_equal(folds.noisy_labels, data.given_labels)
    np.testing.assert_array_equal(folds.clean_labels, data.clean_labels)
    # Two networks of three trained on an image for 20 epochs; the third predicts it.
    assert (folds.folds, folds.passes) == (3, 2 * 20 + 1)
    assert folds.fingerprint['samples'] == SIZE

    assert manifest.kind == 'predicted'
    wrong = (labels != data.clean_labels).mean()
    assert manifest.measured_rate == pytest.approx(wrong)
    assert manifest.given_sha256 != manifest.fitted_sha256
    settings['rate'] = 0.0
    with pytest.raises(ValueError, match='other noisy labels'):
        DATASETS.build(settings)


def test_mistakes_are_named(cfg, tmp_path):
    with pytest.raises(ValueError, match='folds=1: .*Fix: 2 or more'):
        cross_fit(cfg, tmp_path / 'a.txt', folds=1)
    with pytest.raises(ValueError, match='a.npz is where .*Fix: .*[.]txt'):
        cross_fit(cfg, tmp_path / 'a.npz')
    cfg.train_dataloader.dataset = cfg.train_dataloader.dataset.dataset
    with pytest.raises(ValueError, match='is SyntheticFER, and .*Fix:'):
        cross_fit(cfg, tmp_path / 'a.txt')
