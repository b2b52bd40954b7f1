"""What the validation says of wrong labels, on one process."""

import json

import numpy as np
import pytest
import torch

from eac_mm.apis import build_runner, load_config
from eac_mm.utils import hardware

RECIPE = 'configs/eac/resnet18_rafdb_noise30.py'


def test_memorisation_is_that_of_the_network(
    tmp_path, small_options, monkeypatch, pytestconfig
):
    monkeypatch.chdir(pytestconfig.rootpath)
    options = {**small_options, 'train_cfg.max_epochs': 1}
    cfg = load_config(RECIPE, options, str(tmp_path))
    cfg.train_dataloader.dataset.rate = 0.5
    runner = build_runner(cfg)
    graphs = []
    predict = runner.model.val_step

    def val_step(data):
        graphs.append(torch.is_grad_enabled())
        return predict(data)

    monkeypatch.setattr(runner.model, 'val_step', val_step)
    runner.train()
    assert graphs == [False, False]  # one batch of each: no graph is built

    train = runner.train_dataloader.dataset
    wrong = train.wrong_indices
    assert 0 < len(wrong) < 12
    # By hand: each wrongly labelled image, alone, through the test pipeline.
    model = runner.model.eval()
    pipeline = runner.val_dataloader.dataset.pipeline
    predicted = []
    for idx in wrong:
        packed = pipeline(train.dataset.get_data_info(int(idx)))
        batch = dict(inputs=[packed['inputs']], data_samples=[packed['data_samples']])
        predicted.append(model.test_step(batch)[0].pred_label.item())
    predicted = np.array(predicted)
    clean = np.array([0, 1, 2, 3, 4, 5, 6, 3, 3, 6, 4, 0])[wrong]
    epoch = json.loads((tmp_path / 'result.json').read_text())['epochs'][0]
    memorised = 100 * (predicted == train.given_labels[wrong]).mean()
    assert epoch['noise/memorised'] == round(memorised, 4)
    assert epoch['noise/corrected'] == round(100 * (predicted == clean).mean(), 4)


def test_clean_labels_leave_the_metrics_as_they_are(
    tmp_path, small_options, monkeypatch, pytestconfig
):
    monkeypatch.chdir(pytestconfig.rootpath)
    options = {**small_options, 'train_cfg.max_epochs': 1}
    cfg = load_config(
        'configs/baseline/resnet18_rafdb_clean.py', options, str(tmp_path)
    )
    build_runner(cfg).train()
    epoch = json.loads((tmp_path / 'result.json').read_text())['epochs'][0]
    assert set(epoch) == {'epoch', 'accuracy/top1', 'seconds'}


@pytest.mark.parametrize(
    ('wrapper', 'dtype'),
    [('BFloat16OptimWrapper', torch.bfloat16), ('OptimWrapper', torch.float32)],
)
def test_validation_runs_in_the_precision_of_training(
    wrapper, dtype, tmp_path, small_options, monkeypatch, pytestconfig
):
    monkeypatch.setattr(hardware, 'has_bfloat16_convolutions', lambda: True)
    monkeypatch.chdir(pytestconfig.rootpath)
    options = {
        **small_options,
        'train_cfg.max_epochs': 1,
        'train_dataloader.dataset.rate': 0.5,
        'optim_wrapper.type': wrapper,
    }
    runner = build_runner(load_config(RECIPE, options, str(tmp_path)))
    batches = {True: [], False: []}

    def see(backbone, inputs, outputs):
        batches[backbone.training].append((len(inputs[0]), outputs[-1].dtype))

    runner.model.backbone.register_forward_hook(see)
    runner.train()
    assert batches[True] == [(4, dtype)] * 6
    # after one image before training: the test images, the wrongly labelled ones
    wrong = len(runner.train_dataloader.dataset.wrong_indices)
    assert batches[False][1:] == [(7, dtype), (wrong, dtype)]
    assert all(p.dtype == torch.float32 for p in runner.model.parameters())
