from pathlib import Path

import pytest
import torch
from mmpretrain.structures import DataSample
from ranks import in_two_processes
from short_training import At, Killed, assert_same, kill, start_from_backbone, train
from torch.nn.parallel import DistributedDataParallel

from eac_mm.audit import read_records
from eac_mm.models.classifiers import RANClassifier
from eac_mm.models.classifiers.ran_classifier import REGIONS, cut, region_biased_loss

RECIPE = Path(__file__).parents[3] / 'configs/ran/resnet18_syntheticfer_noise30.py'
N, C, L = 3, 4, 3
LABELS = [2, 0, 0]
HALVES = [(0, 0, 0.5, 1), (0.5, 0, 1, 1)]


def make_model(seed=0, channels=C, neck=True, **settings):
    torch.manual_seed(seed)
    width = dict(stem_channels=channels // 2, base_channels=channels // 2)
    return RANClassifier(
        backbone=dict(
            type='mmpretrain.ResNet',
            depth=18,
            num_stages=2,
            strides=(1, 2),
            dilations=(1, 1),
            out_indices=(1,),
            **width,
        ),
        neck=dict(type='mmpretrain.GlobalAveragePooling') if neck else None,
        head=dict(
            type='mmpretrain.LinearClsHead',
            num_classes=L,
            in_channels=settings.pop('in_channels', 2 * channels),
            cal_acc=True,
            init_cfg=None,
        ),
        **settings,
    )


def make_images(n=N, seed=1, side=16):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, side, side, generator=generator)


def samples_of(labels=LABELS):
    return [DataSample().set_gt_label(label) for label in labels]


def test_regions_are_cut_and_resized():
    image = torch.arange(16.0).view(1, 1, 4, 4).repeat(2, 1, 1, 1)
    image[1] += 100
    # rows 1 and 2, columns 2 and 3; then the image itself
    views = cut(image, [(0.5, 0.25, 1.0, 0.75), (0, 0, 1, 1)])
    assert views.shape == (6, 1, 4, 4)
    assert torch.equal(views[:2], image)
    assert torch.equal(views[4:], image)
    # Twice as large: a quarter and three quarters of neighbours, edges as they are
    rows = torch.tensor([4.0, 5.0, 7.0, 8.0])[:, None]
    columns = torch.tensor([2.0, 2.25, 2.75, 3.0])
    torch.testing.assert_close(views[2, 0], rows + columns)
    torch.testing.assert_close(views[3, 0], rows + columns + 100)


@pytest.mark.parametrize(('side', 'pixels'), [(48, 36), (224, 168)])
def test_the_default_regions(side, pixels):
    assert len(REGIONS) == 5
    columns = torch.arange(float(side)).expand(1, 1, side, side)
    lower, left, right, *_ = cut(columns, REGIONS)[1:, 0]
    for view, first in ((lower, side / 8), (left, 0), (right, side / 4)):
        # Pixels are counted from their middle: the mean column is the crop's middle.
        middle = round(first) + (pixels - 1) / 2
        assert view.mean().item() == pytest.approx(middle, abs=1e-3)
    rows = columns.transpose(2, 3)
    lower = cut(rows, REGIONS)[1, 0]
    assert lower.mean().item() == pytest.approx(side - 1 - (pixels - 1) / 2, abs=1e-3)


def test_a_region_without_a_pixel_is_refused():
    with pytest.raises(ValueError, match=r'no pixel in images of 4 x 8. Fix: a larger'):
        cut(torch.zeros(1, 3, 8, 4), [(0.0, 0.0, 0.1, 1.0)])


def test_passes_are_those_that_a_step_makes(monkeypatch):
    model, seen = make_model(regions=HALVES), []
    monkeypatch.setattr(
        model.backbone,
        'forward',
        lambda images, forward=model.backbone.forward: (
            seen.append(len(images)) or forward(images)
        ),
    )
    model.loss(make_images(), samples_of())
    assert sum(seen) == model.passes * len(make_images())


def test_the_region_biased_loss_by_hand():
    weights = torch.tensor([[0.5, 0.4, 0.6], [0.5, 0.5, 0.1], [0.9, 0.2, 0.3]])
    # A region exceeds the face by .1, 0 and -.6; a margin of .02 lacks 0, .02 and .62
    loss = region_biased_loss(weights.requires_grad_(), 0.02)
    assert loss.item() == pytest.approx((0 + 0.02 + 0.62) / 3)
    loss.backward()
    third = 1 / 3
    expected = torch.tensor([[0, 0, 0], [third, -third, 0], [third, 0, -third]])
    torch.testing.assert_close(weights.grad, expected)


def attention_oracle(features, q0, b0, q1, b1):
    """P and mu of one sample from their equations, region by region."""
    mu = [torch.sigmoid(f @ q0 + b0) for f in features]
    mean = sum(m * f for m, f in zip(mu, features, strict=True)) / sum(mu)
    both = [torch.cat([f, mean]) for f in features]
    nu = [torch.sigmoid(x @ q1 + b1) for x in both]
    weights = [m * n for m, n in zip(mu, nu, strict=True)]
    summary = sum(w * x for w, x in zip(weights, both, strict=True)) / sum(weights)
    return summary, torch.stack(mu)


def test_losses_and_gradients_are_those_of_the_equations():
    model = make_model(margin=0.5, region_weight=2.0)
    features = torch.randn(N, 6, C, requires_grad=True)
    model.region_features = lambda inputs: features
    losses = model.loss(None, samples_of())
    accuracy = losses.pop('accuracy_top-1')
    assert list(losses) == ['loss_cls', 'loss_region']
    sum(losses.values()).backward()

    other = features.detach().clone().requires_grad_()
    attention = (model.self_attention, model.relation_attention)
    weights = [p.detach().clone() for m in attention for p in m.parameters()]
    weights = [w.squeeze(0).requires_grad_() for w in weights]
    cls = region = right = 0
    for sample, label in zip(other, LABELS, strict=True):
        summary, mu = attention_oracle(sample, *weights)
        chance = model.head.fc(summary).softmax(0)
        cls = cls - chance[label].log() / N
        region = region + 2 * max(0.5 - (max(mu[1:]) - mu[0]), 0 * mu[0]) / N
        right += (chance.argmax() == label).item() / N
    torch.testing.assert_close(losses['loss_cls'], cls)
    torch.testing.assert_close(losses['loss_region'], region)
    assert accuracy[0].item() == pytest.approx(100 * right)
    (cls + region).backward()
    torch.testing.assert_close(features.grad, other.grad)
    found = [p.grad.squeeze(0) for m in attention for p in m.parameters()]
    for ours, theirs in zip(found, weights, strict=True):
        torch.testing.assert_close(ours, theirs.grad)
        assert ours.any()


def test_each_sample_gets_the_features_of_its_own_regions():
    model, images = make_model(regions=HALVES).eval(), make_images()
    features = model.region_features(images)
    assert features.shape == (N, 3, C)
    for i, image in enumerate(images):
        alone = cut(image[None], HALVES)
        for k in range(3):  # in eval mode no image moves another
            (expected,) = model.neck(model.backbone(alone[k : k + 1]))
            torch.testing.assert_close(features[i, k], expected[0])


def test_in_testing_the_regions_are_seen_and_nothing_else_runs():
    model, images = make_model(regions=HALVES).eval(), make_images()
    seen = []
    model.backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape))
    logits = model(images, mode='tensor')
    assert seen == [(3 * N, 3, 16, 16)]
    summary, _ = model.attend(model.region_features(images))
    torch.testing.assert_close(logits, model.head.fc(summary))
    predicted = model.predict(images[:1])  # one image is enough
    torch.testing.assert_close(predicted[0].pred_score, logits[0].softmax(0))
    torch.testing.assert_close(model.extract_feat(images, 'pre_logits'), summary)
    maps = model.extract_feat(images, 'backbone')[-1]
    assert maps.shape[:2] == (3 * N, C)


def test_a_batch_of_one_trains():
    model = make_model()
    losses = model.loss(make_images(1), samples_of([1]))
    (losses['loss_cls'] + losses['loss_region']).backward()
    gradients = [p.grad for p in model.parameters()]
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_weights_of_zero_divide_nothing():
    model = make_model()
    with torch.no_grad():
        for layer in (model.self_attention, model.relation_attention):
            layer.weight.zero_()
            layer.bias.fill_(-1000.0)  # the sigmoid is 0 in float32
    features = torch.randn(N, 6, C)
    summary, weights = model.attend(features)
    assert not weights.any()
    mean = features.mean(1)
    torch.testing.assert_close(summary, torch.cat([mean, mean], 1))


def test_bfloat16_is_left_for_the_attention():
    model, images = make_model(), make_images()
    exact = model.loss(images, samples_of())
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(images, samples_of())
        features = torch.randn(N, 6, C).bfloat16()
        attended = model.attend(features)
    for ours, wanted in zip(attended, model.attend(features.float()), strict=True):
        assert ours.dtype == torch.float32
        assert torch.equal(ours, wanted)
    for name in ('loss_cls', 'loss_region'):
        assert losses[name].item() == pytest.approx(exact[name].item(), rel=0.05)


@pytest.mark.parametrize(
    ('settings', 'fix'),
    [
        (dict(regions=[]), 'model.regions='),
        (dict(regions=[(0, 0, 1.2, 1)]), 'model.regions='),
        (dict(regions=[(0.5, 0, 0.5, 1)]), 'model.regions='),
        (dict(regions=[(0, 0, 1)]), 'model.regions='),
        (dict(region_weight=-1), 'model.region_weight=1.0'),
    ],
)
def test_settings_that_are_refused(settings, fix):
    with pytest.raises(ValueError, match=f'Fix: {fix}'):
        make_model(**settings)


@pytest.mark.parametrize(
    ('settings', 'fix'),
    [
        (dict(in_channels=2 * C + 4), f'model.head.in_channels={2 * C}'),
        (dict(neck=False), 'model.neck.type=GlobalAveragePooling'),
    ],
)
def test_features_that_are_refused(settings, fix):
    with pytest.raises(ValueError, match=f'Fix: {fix}'):
        make_model(**settings).loss(make_images(), samples_of())


def gradients_of(model, images, labels):
    losses = model(images, samples_of(labels), mode='loss')
    (losses['loss_cls'] + losses['loss_region']).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()]).tolist()


def step_on_rank(rank):
    """Gradients of a step of two ranks, and those of this rank's half alone."""
    images, labels = make_images(seed=rank), [LABELS, [1, 1, 1]][rank]
    wrapped = DistributedDataParallel(make_model())
    return (
        gradients_of(wrapped, images, labels),
        gradients_of(make_model(), images, labels),
    )


def test_two_processes_share_their_gradients():
    (one, alone), (other, alone_too) = in_two_processes(step_on_rank)
    assert one == other
    mean = (torch.tensor(alone) + torch.tensor(alone_too)) / 2
    torch.testing.assert_close(torch.tensor(one), mean, atol=1e-5, rtol=1e-4)
    assert alone != alone_too


def test_it_resumes_exactly_and_is_recorded(tmp_path):
    recorder = {'default_hooks.recorder.type': 'TrainingRecorderHook'}
    whole = train(RECIPE, tmp_path / 'whole', **recorder)
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill))
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth')
    assert resumed.iter == 6
    assert_same(resumed, whole)
    records = read_records(tmp_path / 'whole')
    assert [epoch.logits.shape for epoch in records] == [(1, 24, 7)] * 2


def test_it_starts_from_the_weights_of_a_backbone(tmp_path):
    start_from_backbone(RECIPE, tmp_path)
