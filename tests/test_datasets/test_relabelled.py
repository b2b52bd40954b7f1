from pathlib import Path

import numpy as np
import pytest
import torch
from short_training import SAMPLES, train

from eac_mm.datasets import NoisyLabels, SyntheticFER
from eac_mm.datasets.relabelled import replace, write_relabelled

RECIPE = Path(__file__).parents[2] / 'configs/scn/resnet18_syntheticfer_noise30.py'


def data_of(size=SAMPLES, **kwargs):
    return NoisyLabels(SyntheticFER(split='train', size=size), **kwargs)


def weights_of(rows):
    return {'a.relabelling.values': torch.tensor(rows), 'fc.bias': torch.zeros(2)}


def test_replaced_labels_take_the_place_of_noisy_ones():
    noisy = np.array([3, 1, 4, 1])
    assert replace(noisy, weights_of([-1, 0, -1, 2])).tolist() == [3, 0, 4, 2]
    assert noisy.tolist() == [3, 1, 4, 1]
    alone = {'relabelling.values': torch.tensor([5, -1, -1, -1])}
    assert replace(noisy, alone).tolist() == [5, 1, 4, 1]
    for weights in ({}, {'prerelabelling.values': torch.zeros(4)}):
        with pytest.raises(ValueError, match=r'holds no replaced labels. Fix: '):
            replace(noisy, weights)
    with pytest.raises(ValueError, match=r'labels of 3 samples, .*has 4. Fix: '):
        replace(noisy, weights_of([1, 2, 3]))


def test_a_training_can_go_on_with_what_another_one_found(tmp_path):
    options = {'model.head.relabel_start': 1, 'model.head.relabel_margin': 0.0}
    runner = train(RECIPE, tmp_path / 'run', **options)
    checkpoint = torch.load(tmp_path / 'run' / 'epoch_2.pth', weights_only=True)
    rows = runner.model.head.relabelling.values.numpy()
    assert (rows >= 0).any() and (rows < 0).any()
    path = tmp_path / 'noise.txt'
    manifest = write_relabelled(path, runner.train_dataloader.dataset, checkpoint)

    data = data_of(noise_file=path)
    expected = np.where(rows < 0, data_of(rate=0.3).given_labels, rows)
    np.testing.assert_array_equal(data.given_labels, expected)
    assert manifest.kind == 'relabelled'
    assert manifest.measured_rate == pytest.approx(
        (expected != data.clean_labels).mean(), abs=1e-6
    )
    message = 'on other data: labels differ. Fix: give its recipe'
    with pytest.raises(ValueError, match=message):
        write_relabelled(path, data_of(rate=0.3, seed=1), checkpoint)


def test_data_without_noisy_labels(tmp_path):
    with pytest.raises(ValueError, match=r'\(SyntheticFER\) has no NoisyLabels. Fix'):
        write_relabelled(tmp_path / 'out.txt', data_of(8).dataset, {})
