import copy

import pytest
import torch
from mmpretrain.engine.hooks.precise_bn_hook import update_bn_stats
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.nn import functional as F
from torch.utils.data import DataLoader

BACKBONE = dict(
    type='ResNet',
    depth=18,
    stem_channels=8,
    base_channels=8,
    strides=(1, 2, 2, 1),
    out_indices=(3,),
)


POOLING = dict(type='GlobalAveragePooling')


def build(
    model_type='EACClassifier',
    head_type='EACHead',
    backbone=BACKBONE,
    neck=POOLING,
    data_preprocessor=None,
    **head_options,
):
    torch.manual_seed(0)
    head = dict(type=head_type, num_classes=4, in_channels=64) | head_options
    model = MODELS.build(
        dict(
            type=model_type,
            backbone=copy.deepcopy(backbone),
            neck=neck,
            head=head,
            data_preprocessor=data_preprocessor,
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


VIT = dict(
    type='VisionTransformer',
    arch=dict(embed_dims=64, num_layers=1, num_heads=2, feedforward_channels=64),
    img_size=48,
    patch_size=16,
)
CONVNEXT = dict(type='ConvNeXt', arch=dict(depths=[1] * 4, channels=[8, 16, 32, 64]))


@pytest.mark.parametrize(
    ('backbone', 'side', 'fix', 'shape'),
    [
        (VIT, 48, dict(out_type='featmap'), (2, 64, 3, 3)),
        (CONVNEXT, 64, dict(gap_before_final_norm=False), (2, 64, 2, 2)),
    ],
)
def test_a_backbone_without_maps_is_an_error(backbone, side, fix, shape):
    images = torch.zeros(2, 3, side, side)
    model = build(backbone=backbone)
    name, value = next(iter(fix.items()))
    with pytest.raises(ValueError, match=rf'\(2, 64\). Fix: .*{name}={value}'):
        model.loss([images, images], make_batch()[1][:2])
    assert build(backbone=backbone | fix).feature_map(images).shape == shape


def test_a_backbone_with_a_classifier_of_its_own_is_an_error():
    class Small(torch.nn.Module):
        num_classes = 5

        def forward(self, images):
            return (images.mean((2, 3)),)

    model = build()
    model.backbone = Small()
    with pytest.raises(ValueError, match=r'Small gave \(4, 3\). Fix: leave num_'):
        model.loss(*make_batch())


def test_a_head_that_knows_one_view_is_an_error():
    with pytest.raises(
        TypeError, match=r'LinearClsHead knows one view. Fix: .*EACHead'
    ):
        build(head_type='LinearClsHead')
    headless = MODELS.build(dict(type='EACClassifier', backbone=BACKBONE))
    assert headless.extract_feat(make_batch()[0][0])[0].shape == (4, 64, 3, 3)


# where the maps come from


def branches(count):
    return dict(
        num_modules=1,
        num_branches=count,
        block='BASIC',
        num_blocks=(1,) * count,
        num_channels=tuple(4 * 2**i for i in range(count)),
    )


HRNET = dict(
    type='HRNet',
    extra=dict(
        stage1=dict(
            num_modules=1,
            num_branches=1,
            block='BOTTLENECK',
            num_blocks=(1,),
            num_channels=(8,),
        ),
        stage2=branches(2),
        stage3=branches(3),
        stage4=branches(4),
    ),
)
FUSE = dict(type='HRFuseScales', in_channels=(4, 8, 16, 32), out_channels=12)


def test_hrnet_compares_the_fused_maps():
    model = build(backbone=HRNET, neck=[FUSE, POOLING], in_channels=12).eval()
    generator = torch.Generator().manual_seed(1)
    views = [torch.randn(2, 3, 64, 64, generator=generator) for _ in range(2)]
    labels = torch.tensor([3, 1])
    samples = [DataSample().set_gt_label(label) for label in labels]
    losses = model.loss(views, samples)

    fused = [model.neck[0](model.backbone(view))[0] for view in views]
    assert fused[0].shape == (2, 12, 2, 2)
    fc = model.head.fc
    expected = F.cross_entropy(fc(fused[0].mean((2, 3))), labels)
    torch.testing.assert_close(losses['loss_cls'], expected)
    maps = [torch.einsum('nchw,lc->nlhw', f, fc.weight) for f in fused]
    expected = 5 * (maps[0] - maps[1].flip(-1)).square().mean()
    torch.testing.assert_close(losses['loss_consistency'], expected)

    # and testing pools the same features
    plain = build('ImageClassifier', 'LinearClsHead', HRNET, [FUSE, POOLING])
    plain.head = model.head
    plain.load_state_dict(model.state_dict())
    assert torch.equal(plain.eval()(views[0]), model(views[0]))


def test_all_outputs_of_the_backbone_reach_the_neck():
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, inputs):
            seen.append([tuple(x.shape[1:]) for x in inputs])
            return tuple(x.mean((2, 3)) for x in inputs)

    model = build(backbone=BACKBONE | dict(out_indices=(1, 3)))
    model.neck = Spy()
    views, samples = make_batch()
    losses = model.loss(views, samples)
    assert seen == [[(16, 6, 6), (64, 3, 3)]] * 2
    expected = build().loss(views, samples)  # of the last output
    torch.testing.assert_close(losses, expected)


@pytest.mark.parametrize('neck', [[POOLING], POOLING])
def test_a_list_of_one_neck_is_that_neck(neck):
    views, samples = make_batch()
    losses, expected = (
        build(neck=neck).loss(views, samples),
        build().loss(*make_batch()),
    )
    assert losses['loss_cls'] == expected['loss_cls']
    assert losses['loss_consistency'] == expected['loss_consistency']


def test_layers_behind_the_pooling_are_run():
    linear = dict(type='LinearNeck', in_channels=64, out_channels=64, norm_cfg=None)
    model = build(neck=[POOLING, linear | dict(act_cfg=None)])
    images = make_batch()[0][0]
    maps, features = model.eval().maps_and_features(images)
    assert torch.equal(maps, model.backbone(images)[-1])
    expected = model.neck[1].fc(maps.mean((2, 3)))
    torch.testing.assert_close(features, expected)


def test_a_pair_is_predicted_by_the_view_that_is_classified():
    model = build().eval()
    views, samples = make_batch()
    for arguments in (dict(mode='tensor'), dict(data_samples=samples, mode='tensor')):
        torch.testing.assert_close(model(views, **arguments), model(views[0]))
    expected = [s.pred_score for s in model(views[0], samples, mode='predict')]
    predicted = [s.pred_score for s in model(views, samples, mode='predict')]
    torch.testing.assert_close(predicted, expected)
    for stage in ('backbone', 'neck', 'pre_logits'):
        torch.testing.assert_close(
            model.extract_feat(views, stage), model.extract_feat(views[0], stage)
        )


def test_precise_statistics_are_taken_from_training_batches():
    preprocessor = dict(type='EACDataPreprocessor', channels_last=False)
    model = build(data_preprocessor=preprocessor)
    generator = torch.Generator().manual_seed(2)
    pairs = [
        [torch.rand(4, 3, 48, 48, generator=generator) for _ in range(2)]
        for _ in range(3)
    ]
    batches = [dict(inputs=pair, data_samples=make_batch()[1]) for pair in pairs]
    loader = DataLoader(batches, batch_size=1, collate_fn=lambda batch: batch[0])
    update_bn_stats(model, loader, num_samples=3, logger='silent')
    with torch.no_grad():
        stems = [model.backbone.conv1(first) for first, _ in pairs]
    means = torch.stack([stem.mean((0, 2, 3)) for stem in stems])
    torch.testing.assert_close(model.backbone.bn1.running_mean, means.mean(0))


@pytest.mark.parametrize(('paired', 'passed'), [(1.0, 4), (0.5, 2), (0.1, 1)])
def test_view_2_is_cut_to_the_share_that_is_paired(paired, passed):
    model = build(paired=paired)
    seen = []
    model.backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    views, samples = make_batch()
    model.loss(views, samples)
    assert torch.equal(seen[0], views[0])
    assert torch.equal(seen[1], views[1][:passed])
