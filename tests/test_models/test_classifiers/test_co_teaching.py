import math
from pathlib import Path

import pytest
import torch
from ranks import Losses, in_two_processes
from short_training import At, Killed, assert_same, kill, train
from tiny_networks import build, images_of, samples_of, say
from torch.nn.parallel import DistributedDataParallel

from eac_mm.models.classifiers import CoTeaching

RECIPE = (
    Path(__file__).parents[3] / 'configs/co_teaching/resnet18_syntheticfer_noise30.py'
)
# Chance of the label under each network: the first finds samples 0 and 1 easy, the
# second 3 and 0.
FIRST, SECOND = [0.8, 0.6, 0.5, 0.2], [0.7, 0.1, 0.3, 0.9]


def logits_of(chances):
    p = torch.tensor(chances)
    return torch.stack((p, (1 - p) / 2, (1 - p) / 2), 1).log().requires_grad_()


@pytest.mark.parametrize('rate', [0.5, 0.6])  # 2.4 samples are 2
def test_each_learns_what_the_other_finds_easy(rate, monkeypatch):
    model = build(CoTeaching, forget_rate=rate)
    model.epoch = 10
    logits = logits_of(FIRST), logits_of(SECOND)
    say(monkeypatch, model, *logits)
    losses = model.loss(images_of(4), samples_of([0] * 4))
    expected = [
        -(math.log(0.2) + math.log(0.8)) / 2,
        -(math.log(0.7) + math.log(0.1)) / 2,
    ]
    found = [losses['loss_first'].item(), losses['loss_second'].item()]
    assert found == pytest.approx(expected)
    sum(losses.values()).backward()
    learned = [scores.grad.any(1).tolist() for scores in logits]
    assert learned == [[True, False, False, True], [True, True, False, False]]


def test_the_share_falls_over_the_first_epochs(monkeypatch):
    model = build(CoTeaching, forget_rate=0.5, ramp_epochs=4)
    say(monkeypatch, model, logits_of(FIRST), logits_of(SECOND))
    model.epoch = 0
    losses = model.loss(images_of(4), samples_of([0] * 4))
    expected = -sum(map(math.log, FIRST)) / 4
    assert losses['loss_first'].item() == pytest.approx(expected)
    model.epoch = 2  # one sample is left out: the second's hardest is 1
    losses = model.loss(images_of(4), samples_of([0] * 4))
    expected = -sum(math.log(FIRST[i]) for i in (0, 2, 3)) / 3
    assert losses['loss_first'].item() == pytest.approx(expected)
    for model.epoch in (4, 9):  # the second's easiest are 3 and 0
        losses = model.loss(images_of(4), samples_of([0] * 4))
        expected = -(math.log(0.2) + math.log(0.8)) / 2
        assert losses['loss_first'].item() == pytest.approx(expected)


def test_one_sample_is_always_kept(monkeypatch):
    model = build(CoTeaching, forget_rate=0.99)
    model.epoch = 10
    say(monkeypatch, model, logits_of(FIRST[:1]), logits_of(SECOND[:1]))
    losses = model.loss(images_of(1), samples_of([0]))
    assert losses['loss_first'].item() == pytest.approx(-math.log(0.8))


def test_bfloat16(monkeypatch):
    model = build(CoTeaching, forget_rate=0.5)
    model.epoch = 10
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(images_of(4), samples_of([0] * 4))
    assert all(loss.dtype == torch.float32 for loss in losses.values())
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize('rate', [-0.1, 1.0])
def test_rates_out_of_range(rate):
    with pytest.raises(ValueError, match=r'is not in \[0, 1\). Fix: give the noise'):
        build(CoTeaching, forget_rate=rate)
    with pytest.raises(ValueError, match='ramp_epochs=0. Fix: give more than 0'):
        build(CoTeaching, forget_rate=0.3, ramp_epochs=0)


def test_an_epoch_is_needed():
    model = build(CoTeaching, forget_rate=0.5)
    with pytest.raises(ValueError, match=r'the epoch. Fix: default_hooks.epoch='):
        model.loss(images_of(4), samples_of([0] * 4))


def test_the_first_network_is_recorded():
    model = build(CoTeaching, forget_rate=0.5)
    model.epoch = 10
    taken = []
    model.recorder = lambda logits: taken.extend(logits)
    images = images_of(4)
    model.loss(images, samples_of([0] * 4))
    (logits,) = taken
    torch.testing.assert_close(logits, model.logits_of(0, images))


def step_on_rank(rank):
    grads = []
    for wrapped in (True, False):
        model = build(CoTeaching, forget_rate=0.5)
        model.epoch = 10
        step = DistributedDataParallel(Losses(model)) if wrapped else model.loss
        losses = step(images_of(4, seed=rank), samples_of([0, 1, 2, 0]))
        sum(losses.values()).backward()
        grads.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    return [grad.tolist() for grad in grads]


def test_two_processes_choose_among_their_own_samples():
    (one, alone), (other, alone_too) = in_two_processes(step_on_rank)
    assert one == other
    mean = (torch.tensor(alone) + torch.tensor(alone_too)) / 2
    torch.testing.assert_close(torch.tensor(one), mean)


def test_it_resumes_exactly(tmp_path):
    whole = train(RECIPE, tmp_path / 'whole')
    assert whole.model.epoch == 1
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill))
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth')
    assert resumed.iter == 6
    assert_same(resumed, whole)
