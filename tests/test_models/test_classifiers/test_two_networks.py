import pytest
import torch
from tiny_networks import PARTS, build, images_of, samples_of

from eac_mm.engine.weights_fit import prepare_start
from eac_mm.models.classifiers import CoTeaching, DivideMix
from eac_mm.models.classifiers.two_networks import (
    TwoNetworkClassifier,
    mean_probability,
    noisy_labels,
)


def test_predictions_are_the_mean_of_both():
    model = build(TwoNetworkClassifier).eval()
    images = images_of(3)
    first = model.head(model.backbone(images)).softmax(1)
    second = model.head2(model.backbone2(images)).softmax(1)
    assert not torch.allclose(first, second)
    expected = (first + second) / 2
    torch.testing.assert_close(model(images).softmax(1), expected)
    predicted = model(images, samples_of([0, 1, 2]), mode='predict')
    scores = torch.stack([sample.pred_score for sample in predicted])
    torch.testing.assert_close(scores, expected)
    labels = torch.cat([sample.pred_label for sample in predicted])
    assert torch.equal(labels, expected.argmax(1))


def test_features_are_those_of_the_first():
    model = build(TwoNetworkClassifier).eval()
    images = images_of(3)
    torch.testing.assert_close(model.extract_feat(images), model.backbone(images))


def test_the_networks_share_nothing():
    model = build(TwoNetworkClassifier)
    images = images_of(4)
    model.logits_of(1, images).sum().backward()
    moved = {name for name, p in model.named_parameters() if p.grad is not None}
    second = {f'backbone2.{part}' for part in ('linear.bias', 'linear.weight')}
    second |= {f'backbone2.norm.{part}' for part in ('bias', 'weight')}
    second |= {'head2.fc.bias', 'head2.fc.weight'}
    assert moved == second
    assert len(list(model.parameters())) == 2 * len(second)


def test_both_start_from_the_weights_of_one_backbone():
    model = build(TwoNetworkClassifier)
    other = build(TwoNetworkClassifier, seed=5).backbone.state_dict()
    weights = {f'backbone.{key}': value for key, value in other.items()}
    prepare_start(weights, model)
    model.load_state_dict(weights, strict=False)
    for backbone in (model.backbone, model.backbone2):
        for key, value in backbone.state_dict().items():
            assert torch.equal(value, other[key]), key


def test_a_neck_for_each():
    class Necked(TwoNetworkClassifier):
        pass

    model = Necked(**{**PARTS, 'neck': dict(type='GlobalAveragePooling', dim=1)})
    assert type(model.neck2) is type(model.neck) and model.neck2 is not model.neck


def test_passes_are_those_that_a_step_makes():
    co_teaching = build(CoTeaching, forget_rate=0.5)
    co_teaching.epoch = 10
    divide_mix = build(DivideMix, warm_up=1)
    for state in (divide_mix.losses, divide_mix.clean, divide_mix.labels):
        state.resize(4)
        state.epoch = 1
    for model, inputs in (
        (co_teaching, images_of(4)),
        (divide_mix, [images_of(4), images_of(4)]),
    ):
        seen = []
        for backbone in (model.backbone, model.backbone2):
            backbone.register_forward_hook(
                lambda _, given, out, seen=seen: seen.append(
                    len(given[0]) / 4 * (1 if out[0].requires_grad else 1 / 3)
                )
            )
        model.loss(inputs, samples_of([0, 1, 2, 0]))
        assert sum(seen) == pytest.approx(model.passes)


def test_a_loss_that_remembers_samples_is_refused():
    head = dict(
        type='SampleLossHead',
        num_classes=3,
        in_channels=4,
        loss=dict(type='ELRLoss', num_classes=3),
    )
    with pytest.raises(ValueError, match=r'ELRLoss remembers .* Fix: model.head.loss='):
        TwoNetworkClassifier(**{**PARTS, 'head': head})


def test_losses_of_samples():
    model = build(TwoNetworkClassifier)
    p = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    losses = model.losses_by_sample([p.log(), p.flip(0).log()], torch.tensor([0, 2]))
    expected = torch.tensor([[0.5, 0.7], [0.1, 0.25]]).log().neg()
    torch.testing.assert_close(torch.stack(losses), expected)


def test_a_mean_of_probabilities_has_a_logarithm():
    logits = torch.tensor([[300.0, 0.0]])
    mean = mean_probability([logits.bfloat16(), logits])
    assert mean.dtype == torch.float32
    assert mean.log().isfinite().all()
    torch.testing.assert_close(mean, torch.tensor([[1.0, 0.0]]))


def test_mixed_samples_have_no_label():
    samples = samples_of([2, 0])
    assert noisy_labels(samples).tolist() == [2, 0]
    for sample in samples:
        sample.set_gt_score(torch.tensor([0.5, 0.5, 0.0]))
    with pytest.raises(ValueError, match='a mix of two is no sample. Fix: no batch'):
        noisy_labels(samples)
