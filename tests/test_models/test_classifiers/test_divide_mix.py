import math
from pathlib import Path

import numpy as np
import pytest
import torch
from ranks import in_two_processes
from short_training import At, Killed, assert_same, kill, train
from tiny_networks import build, images_of, samples_of
from torch.nn import functional as F

from eac_mm.models.classifiers import DivideMix
from eac_mm.models.classifiers.divide_mix import (
    clean_probability,
    refine,
    weighted_mean,
)

RECIPE = (
    Path(__file__).parents[3] / 'configs/divide_mix/resnet18_syntheticfer_noise30.py'
)
LABELS = [0, 1, 2, 0]
VIEWS = [images_of(4), images_of(4, seed=2)]


def make_model(epoch=0, size=4, **kwargs):
    model = build(DivideMix, **{'warm_up': 2, **kwargs})
    for state in (model.losses, model.clean, model.labels):
        state.resize(size)
        state.epoch = epoch
    return model


# which labels are right


def test_small_losses_are_clean():
    rng = np.random.default_rng(0)
    losses = np.concatenate((rng.normal(0.2, 0.05, 600), rng.normal(3, 0.3, 400)))
    clean = clean_probability(losses.astype(np.float32))
    assert clean.dtype == np.float32
    assert (clean[:600] > 0.99).all() and (clean[600:] < 0.01).all()
    # In whatever order the components come
    assert (clean_probability(losses[::-1]) == clean[::-1]).mean() > 0.99


def test_samples_that_were_not_served_count_as_clean():
    losses = np.array([0.1, 0.2, np.nan, 5.0, 5.2, 0.15], dtype=np.float32)
    clean = clean_probability(losses)
    assert clean[2] == 1
    assert (clean > 0.5).tolist() == [True, True, True, False, False, True]
    for alike in ([np.nan, np.nan], [1.0, 1.0], [np.nan, 3.0]):
        assert clean_probability(np.array(alike)).tolist() == [1, 1]


def test_targets_by_hand():
    first = torch.tensor([[0.6, 0.4], [0.6, 0.4]])
    second = torch.tensor([[0.2, 0.8], [0.2, 0.8]])
    labels, clean = torch.tensor([1, 1]), torch.tensor([0.75, 0.5])
    found = refine([first, second], 0, labels, clean)
    # Labelled: 0.75 (0, 1) + 0.25 (0.6, 0.4) = (0.15, 0.85). Not: the mean (0.4, 0.6).
    # Then squares, made to sum to 1.
    expected = [
        [0.0225 / 0.745, 0.7225 / 0.745],
        [0.16 / 0.52, 0.36 / 0.52],
    ]
    torch.testing.assert_close(found, torch.tensor(expected))
    # The second network starts from its own guess: 0.25 (0.2, 0.8) + (0, 0.75)
    found = refine([first, second], 1, labels, clean)[0]
    expected = torch.tensor([0.0025, 0.9025]) / 0.905
    torch.testing.assert_close(found, expected)


def test_a_mean_of_nothing_is_zero():
    values = torch.tensor([2.0, 4.0])
    assert weighted_mean(values, torch.tensor([0.0, 1.0])).item() == 4
    assert weighted_mean(values, torch.zeros(2)).item() == 0


# a step


def test_in_the_warm_up_it_is_cross_entropy_of_view_1():
    model = make_model(epoch=1, size=6)
    losses = model.loss(VIEWS, samples_of(LABELS, [5, 3, 0, 1]))
    logits = model.logits_of_both(VIEWS[0])
    labels = torch.tensor(LABELS)
    expected = [F.cross_entropy(scores, labels, reduction='none') for scores in logits]
    assert set(losses) == {'loss_first', 'loss_second'}
    torch.testing.assert_close(losses['loss_first'], expected[0].mean())
    torch.testing.assert_close(losses['loss_second'], expected[1].mean())
    kept = model.losses.values
    torch.testing.assert_close(kept[[5, 3, 0, 1]], torch.stack(expected, 1))
    assert kept[[2, 4]].isnan().all()
    assert model.clean.values.tolist() == [[1, 1]] * 6


@pytest.fixture
def unmixed(monkeypatch):
    """A sample is mixed with itself."""
    monkeypatch.setattr(np.random, 'beta', lambda a, b: 0.3)
    monkeypatch.setattr(torch, 'randperm', torch.arange)


def divided(model, clean):
    """Settle by hand which labels are right, under each network."""
    model.labels.values.copy_(torch.tensor(LABELS))
    model._divide()
    model.clean.values.copy_(torch.tensor(clean))


def test_a_step_by_hand(unmixed):
    model = make_model(epoch=6, unlabelled_weight=10.0, balance=0.5)
    # The first network trains with the second's column: samples 0 and 1 are labelled.
    divided(model, [[0.0, 1.0], [0.0, 0.8], [1.0, 0.2], [1.0, 0.0]])
    guesses = [
        sum(model.logits_of(k, view).softmax(1) for view in VIEWS).detach() / 2
        for k in (0, 1)
    ]
    labels = torch.tensor(LABELS)
    target = torch.stack(
        [
            F.one_hot(labels[0], 3).float(),
            0.8 * F.one_hot(labels[1], 3) + 0.2 * guesses[0][1],
            (guesses[0][2] + guesses[1][2]) / 2,
            (guesses[0][3] + guesses[1][3]) / 2,
        ]
    )
    target = (target**2 / (target**2).sum(1, keepdim=True)).repeat(2, 1)
    p = model.logits_of(0, torch.cat(VIEWS)).softmax(1)
    rows = [0, 1, 4, 5]
    expected = dict(
        loss_first=-(target * p.log()).sum(1)[rows].mean(),
        # 4 of 16 epochs of the ramp
        loss_unlabelled_first=10 / 4 * (p - target).square()[[2, 3, 6, 7]].mean(),
        # Of the labels 0, 1, 2 and 0, a half are of class 0.
        loss_balance_first=0.5
        * sum(
            q * math.log(q / mean)
            for q, mean in zip((0.5, 0.25, 0.25), p.mean(0).tolist(), strict=True)
        ),
    )
    found = make_model(epoch=6, unlabelled_weight=10.0, balance=0.5)
    divided(found, model.clean.values.tolist())
    found = found.loss(VIEWS, samples_of(LABELS))
    assert len(found) == 6
    for name, value in expected.items():
        torch.testing.assert_close(found[name], torch.as_tensor(value), msg=name)


def test_guesses_are_those_of_training_and_are_remembered():
    """With the statistics of the batch, which move the running ones."""
    model, other = make_model(epoch=2), make_model(epoch=2)
    logits = [other.logits_of_both(view) for view in VIEWS]
    found = model._guess(VIEWS, torch.tensor(LABELS), torch.arange(4))
    assert torch.equal(
        model.backbone.norm.running_mean, other.backbone.norm.running_mean
    )
    assert not torch.equal(model.backbone.norm.running_mean, torch.zeros(4))
    for network in (0, 1):
        expected = sum(view[network].softmax(1) / 2 for view in logits)
        torch.testing.assert_close(found[network], expected)
        expected = sum(
            F.cross_entropy(view[network], torch.tensor(LABELS), reduction='none') / 2
            for view in logits
        )
        torch.testing.assert_close(model.losses.values[:, network], expected)


def test_frequencies_of_labels():
    model = make_model(epoch=2, size=8)
    model.labels.values.copy_(torch.tensor([0, 0, 0, 0, 0, 1, -1, -1]))
    model._divide()  # a class without labels, and samples that were never served
    torch.testing.assert_close(model._frequencies, torch.tensor([5 / 6, 1 / 6, 0]))


def test_partners_are_mixed_by_the_larger_share(monkeypatch):
    model = make_model(epoch=2, balance=0, unlabelled_weight=0)
    divided(model, [[1.0, 1.0]] * 4)
    monkeypatch.setattr(np.random, 'beta', lambda a, b: 0.25)
    monkeypatch.setattr(torch, 'randperm', lambda n: torch.arange(n).flip(0))
    seen = []
    monkeypatch.setattr(
        model,
        'logits_of',
        lambda number, images, old=model.logits_of: (
            seen.append(images) or old(number, images)
        ),
    )
    found = model.loss(VIEWS, samples_of(LABELS))
    images = torch.cat(VIEWS)
    mixed = 0.75 * images + 0.25 * images.flip(0)
    torch.testing.assert_close(seen[-1], mixed)
    model.train()
    target = F.one_hot(torch.tensor(LABELS), 3).float().repeat(2, 1)
    target = 0.75 * target + 0.25 * target.flip(0)
    log_p = model.logits_of(1, mixed).log_softmax(1)
    torch.testing.assert_close(found['loss_second'], -(target * log_p).sum(1).mean())


def test_labels_are_judged_once_an_epoch():
    model = make_model(epoch=2)
    model.losses.values.copy_(
        torch.tensor([[0.1, 9.0], [0.2, 0.1], [9.0, 0.2], [9.5, 9.5]])
    )
    model.loss(VIEWS, samples_of(LABELS))
    judged = model.clean.values.clone()
    expected = [[True, False], [True, True], [False, True], [False, False]]
    assert (judged > 0.5).tolist() == expected
    model.loss(VIEWS, samples_of(LABELS))  # other losses by now
    assert torch.equal(model.clean.values, judged)
    saved = model.state_dict()
    resumed = make_model(epoch=2)  # in the middle of the epoch
    resumed.load_state_dict(saved)
    resumed.loss(VIEWS, samples_of(LABELS))
    assert torch.equal(resumed.clean.values, judged)
    for state in (model.losses, model.clean, model.labels):
        state.epoch = 3
    model.loss(VIEWS, samples_of(LABELS))
    assert not torch.equal(model.clean.values, judged)


def test_bfloat16():
    model = make_model(epoch=2)
    divided(model, [[1.0, 1.0], [0.0, 0.0], [0.7, 0.3], [0.2, 0.9]])
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(VIEWS, samples_of(LABELS))
    assert all(loss.dtype == torch.float32 for loss in losses.values())
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_what_was_cast_without_gradient_is_not_trained_with(monkeypatch):
    # Older versions would: https://github.com/pytorch/pytorch/pull/165068
    model, done = make_model(epoch=2), []
    divided(model, [[1.0, 1.0]] * 4)
    guess, clear = model.logits_of, torch.clear_autocast_cache

    def logits_of(number, images):
        done.append(torch.is_grad_enabled())
        return guess(number, images)

    monkeypatch.setattr(model, 'logits_of', logits_of)
    monkeypatch.setattr(
        torch, 'clear_autocast_cache', lambda: (done.append('clear'), clear())
    )
    with torch.autocast('cpu', torch.bfloat16):
        model.loss(VIEWS, samples_of(LABELS))
        assert done == [False] * 4 + ['clear'] + [True] * 2


def test_the_first_network_is_recorded():
    for epoch, views in ((0, VIEWS[:1]), (2, VIEWS)):
        model = make_model(epoch=epoch)
        taken = []
        model.recorder = lambda logits, taken=taken: taken.extend(logits)
        model.loss(VIEWS, samples_of(LABELS))
        assert [logits.shape for logits in taken] == [(4, 3)] * len(views)


def test_mistakes():
    for settings, message in (
        (dict(warm_up=0), 'warm_up=0: .* Fix: model.warm_up=1'),
        (dict(unlabelled_weight=-1), 'unlabelled_weight=-1. Fix: give 0 or more'),
        (dict(balance=-1), 'balance=-1. Fix: give 0 or more'),
        (dict(ramp_epochs=0), 'ramp_epochs=0. Fix: give more than 0'),
    ):
        with pytest.raises(ValueError, match=message):
            make_model(**settings)
    with pytest.raises(ValueError, match=r'got one. Fix: pipeline=_base_.pair_'):
        make_model().loss(VIEWS[0], samples_of(LABELS))


def steps_on_rank(rank):
    """What is known of the samples after an epoch, and after a step that divides."""
    model = make_model(epoch=1)
    indices = [[0, 1], [3, 2]][rank]
    views = [view[indices] for view in VIEWS]
    samples = samples_of([LABELS[i] for i in indices], indices)
    model.loss(views, samples)
    losses = model.losses.values.tolist()
    for state in (model.losses, model.clean, model.labels):
        state.epoch = 2
    model.loss(views, samples)
    known = model.clean, model.losses, model.labels
    rows = [state.values.tolist() for state in known]
    return losses, *rows, model._frequencies.tolist()


def test_two_processes_judge_alike():
    one, other = in_two_processes(steps_on_rank)
    assert one == other
    losses, clean, _, labels, frequencies = one
    assert (labels, frequencies) == (LABELS, [0.5, 0.25, 0.25])
    assert not np.isnan(losses).any()
    expected = [
        clean_probability(np.float32(column)) for column in np.transpose(losses)
    ]
    np.testing.assert_allclose(clean, np.stack(expected, 1), rtol=1e-6)


def test_it_resumes_exactly(tmp_path):
    options = {'model.warm_up': 1}
    whole = train(RECIPE, tmp_path / 'whole', **options)
    assert whole.model.losses.values.isfinite().all()
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill), **options)
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth', **options)
    assert resumed.iter == 6
    assert_same(resumed, whole)
