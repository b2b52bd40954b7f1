import copy

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.nn import functional as F

BACKBONE = dict(
    type='ResNet',
    depth=18,
    stem_channels=8,
    base_channels=8,
    strides=(1, 2, 2, 1),
    out_indices=(3,),
)


def build(
    model_type='EACClassifier', head_type='EACHead', backbone=BACKBONE, **head_options
):
    torch.manual_seed(0)
    head = dict(type=head_type, num_classes=4, in_channels=64, **head_options)
    model = MODELS.build(
        dict(
            type=model_type,
            backbone=copy.deepcopy(backbone),
            neck=dict(type='GlobalAveragePooling'),
            head=head,
        )
    )
    model.init_weights()
    return model


def make_batch():
    generator = torch.Generator().manual_seed(1)
    views = [torch.randn(4, 3, 48, 48, generator=generator) for _ in range(2)]
    samples = [DataSample().set_gt_label(label) for label in (0, 3, 1, 2)]
    return views, samples


def test_loss_and_every_gradient_match_the_equations():
    model = build()
    views, samples = make_batch()
    losses = model.loss(views, samples)
    (losses['loss_cls'] + losses['loss_consistency']).backward()

    reference = build()
    maps = [reference.backbone(view)[-1] for view in views]
    weight, bias = reference.head.fc.weight, reference.head.fc.bias
    logits = F.linear(maps[0].mean((2, 3)), weight, bias)
    classification = F.cross_entropy(logits, torch.tensor([0, 3, 1, 2]))
    frozen = weight.detach()[None, :, :, None, None]
    attention = [(f[:, None] * frozen).sum(2) for f in maps]
    size = attention[0].shape[-1]
    line = torch.linspace(-1, 1, size)
    ys, xs = torch.meshgrid(line, -line, indexing='ij')
    grid = torch.stack([xs, ys], -1).expand(4, size, size, 2)
    back = F.grid_sample(attention[1], grid, align_corners=True)
    consistency = 5 * ((attention[0] - back) ** 2).mean()
    (classification + consistency).backward()

    assert losses['loss_cls'].item() == pytest.approx(classification.item(), rel=1e-5)
    assert losses['loss_consistency'].item() == pytest.approx(
        consistency.item(), rel=1e-5
    )
    expected = dict(reference.named_parameters())
    for name, parameter in model.named_parameters():
        theirs = expected[name].grad
        error = (parameter.grad - theirs).norm() / theirs.norm().clamp_min(1e-12)
        assert error < 1e-5, name


def test_each_view_has_its_own_batch_statistics():
    model = build()
    norm = model.backbone.bn1
    views, samples = make_batch()
    with torch.no_grad():
        stems = [model.backbone.conv1(view) for view in views]
    model.loss(views, samples)
    # momentum 0.1 from a running mean of 0, view 1 first
    means = [stem.mean((0, 2, 3)) for stem in stems]
    expected = 0.9 * (0.1 * means[0]) + 0.1 * means[1]
    torch.testing.assert_close(norm.running_mean, expected)
    assert norm.num_batches_tracked.item() == 2


def test_view_2_is_not_run_where_the_head_does_not_need_it():
    model = build(consistency_weight=0)
    norm = model.backbone.bn1
    views, samples = make_batch()
    with torch.no_grad():
        mean = model.backbone.conv1(views[0]).mean((0, 2, 3))
    losses = model.loss(views, samples)
    assert set(losses) == {'loss_cls'}
    torch.testing.assert_close(norm.running_mean, 0.1 * mean)
    assert norm.num_batches_tracked.item() == 1

    plain = build('ImageClassifier', 'LinearClsHead')
    plain.load_state_dict(build(consistency_weight=0).state_dict())
    expected = plain.loss(views[0], samples)['loss']
    torch.testing.assert_close(losses['loss_cls'], expected)


@pytest.mark.parametrize('weight', [0, 5])
def test_both_views_are_classified_without_the_imbalanced_framework(weight):
    model = build(consistency_weight=weight, imbalanced=False)
    views, samples = make_batch()
    losses = model.loss(views, samples)
    losses['loss_cls'].backward()
    assert ('loss_consistency' in losses) == (weight > 0)
    assert model.backbone.bn1.num_batches_tracked.item() == 2

    reference = build()
    labels = torch.tensor([0, 3, 1, 2])
    logits = [reference.head.fc(reference.extract_feat(v)[-1]) for v in views]
    expected = sum(F.cross_entropy(x, labels) for x in logits) / 2
    expected.backward()
    torch.testing.assert_close(losses['loss_cls'], expected)
    theirs = dict(reference.named_parameters())
    for name, parameter in model.named_parameters():
        error = (parameter.grad - theirs[name].grad).norm()
        assert error / theirs[name].grad.norm().clamp_min(1e-12) < 1e-5, name


def test_testing_is_that_of_a_plain_classifier():
    model = build().eval()
    plain = build('ImageClassifier', 'LinearClsHead').eval()
    plain.load_state_dict(model.state_dict())  # strict: the same keys
    images = make_batch()[0][0]
    with torch.no_grad():
        ours, theirs = model.predict(images), plain.predict(images)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a.pred_score, b.pred_score)
        assert torch.equal(a.pred_label, b.pred_label)


def test_one_view_is_an_error():
    model = build()
    views, samples = make_batch()
    with pytest.raises(ValueError, match='ErasingFlipPair'):
        model.loss(views[0], samples)
    with pytest.raises(ValueError, match='pairs of views'):
        model.loss(views[:1], samples)


def test_a_backbone_without_maps_is_an_error():
    vit = dict(
        type='VisionTransformer',
        arch=dict(embed_dims=64, num_layers=1, num_heads=2, feedforward_channels=64),
        img_size=48,
        patch_size=16,
    )
    model = build(backbone=vit)
    views, samples = make_batch()
    with pytest.raises(ValueError, match=r'VisionTransformer gave \(4, 64\)'):
        model.loss(views, samples)
    vit['out_type'] = 'featmap'
    assert build(backbone=vit).feature_map(views[0]).shape == (4, 64, 3, 3)
