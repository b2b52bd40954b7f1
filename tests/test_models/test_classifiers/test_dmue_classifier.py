from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import load_state_dict
from mmpretrain.structures import DataSample
from ranks import Losses, in_two_processes
from short_training import (
    At,
    Killed,
    assert_same,
    kill,
    losses_of,
    start_from_backbone,
    train,
)
from torch.nn.parallel import DistributedDataParallel

from eac_mm.models.classifiers import DMUEClassifier

CONFIGS = Path(__file__).parents[3] / 'configs/dmue'
RECIPE = CONFIGS / 'resnet18_syntheticfer_noise30.py'
C = 3
RESNET = dict(
    type='ResNet',
    depth=18,
    stem_channels=4,
    base_channels=4,
    num_stages=4,
    out_indices=(3,),
)
HEAD = dict(type='DMUEHead', num_classes=C, in_channels=32, dropout=0.0)


def make_model(backbone=RESNET, **kwargs):
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    neck = dict(type='GlobalAveragePooling')
    settings = dict(backbone=dict(backbone), neck=neck, head=dict(HEAD))
    model = DMUEClassifier(**{**settings, **kwargs})
    model.init_weights()
    model.epoch = model.head.epoch = 3
    return model


def images(n=4, side=64, seed=0):
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def samples_of(labels=(0, 2, 1, 2)):
    return [DataSample().set_gt_label(label) for label in labels]


def assert_equal_to(stage, branches):
    expected = stage.state_dict()
    for branch in branches:
        found = branch.state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[k], v) for k, v in expected.items())


def test_branches_start_as_equals_of_the_last_stage():
    model = make_model()
    assert model.last_stage == 'layer4' and len(model.branches) == C
    assert_equal_to(model.backbone.layer4, model.branches)
    weights = [m.layer4[0].conv1.weight for m in (model.backbone,)]
    weights += [branch[0].conv1.weight for branch in model.branches]
    assert len({weight.data_ptr() for weight in weights}) == 1 + C  # not shared


def test_the_head_gets_the_features_of_every_branch():
    model, taken = make_model(), {}
    with torch.no_grad():
        for number, branch in enumerate(model.branches):
            branch[1].bn2.bias.fill_(number + 1.0)  # no longer equal

    def loss(feats, data_samples, branch_feats):
        taken.update(feats=feats, branch_feats=branch_feats)
        return {}

    model.head.loss = loss
    model.eval()  # so that passing twice gives the same
    model.loss(images(), samples_of())
    backbone = model.backbone
    shared = backbone.maxpool(backbone.relu(backbone.norm1(backbone.conv1(images()))))
    shared = backbone.layer3(backbone.layer2(backbone.layer1(shared)))
    for stage, found in zip(
        (backbone.layer4, *model.branches),
        (taken['feats'][-1], *taken['branch_feats']),
        strict=True,
    ):
        torch.testing.assert_close(found, stage(shared).mean((2, 3)))
    assert not backbone.layer4._forward_hooks


@pytest.mark.parametrize(
    ('backbone', 'width', 'stage'),
    [
        (
            dict(
                RESNET,
                num_stages=3,
                out_indices=(2,),
                strides=(1, 2, 2),
                dilations=(1, 1, 1),
            ),
            16,
            'layer3',
        ),
        (dict(type='DlibFaceResNet', num_stages=3), 128, 'stages.2'),
    ],
)
def test_the_last_of_three_stages_is_repeated(backbone, width, stage):
    model = make_model(backbone, head=dict(HEAD, in_channels=width))
    assert model.last_stage == stage
    losses = model.loss(images(), samples_of())
    sum(losses.values()).backward()
    for number, branch in enumerate(model.branches):
        assert any(p.grad.any() for p in branch.parameters()), number


def test_a_file_with_a_backbone_alone_fills_the_branches():
    donor = make_model()
    with torch.no_grad():
        for parameter in donor.backbone.parameters():
            parameter.add_(1)
    backbone = donor.backbone.state_dict()
    model = make_model()
    load_state_dict(model, {f'backbone.{k}': v for k, v in backbone.items()})
    assert_equal_to(donor.backbone.layer4, [model.backbone.layer4, *model.branches])
    # One that holds branches fills each from its own.
    with torch.no_grad():
        donor.branches[1][0].bn1.bias.fill_(5)
    model.load_state_dict(donor.state_dict())
    for ours, theirs in zip(model.branches, donor.branches, strict=True):
        assert_equal_to(theirs, [ours])


def test_the_network_starts_from_weights_that_its_config_names(tmp_path):
    donor = make_model()
    with torch.no_grad():
        donor.branches[2][0].bn1.bias.fill_(5)
    weights = donor.state_dict()
    plain = {k: v for k, v in weights.items() if k.startswith('backbone.')}
    torch.save(weights, tmp_path / 'whole.pth')
    torch.save(plain, tmp_path / 'backbone.pth')
    whole = make_model(pretrained=str(tmp_path / 'whole.pth'))
    for ours, theirs in zip(whole.branches, donor.branches, strict=True):
        assert_equal_to(theirs, [ours])
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'backbone.pth'))
    started = make_model(dict(RESNET, init_cfg=dict(init, prefix='backbone.')))
    assert_equal_to(donor.backbone.layer4, started.branches)


def test_in_testing_no_branch_runs():
    model = make_model().eval()
    model.head.auxiliary = model.head.confidence = model.branches = None
    (found,) = model.predict(images(1))
    feats = model.neck(model.backbone(images(1)))
    expected = model.head.fc(model.head.norm(feats[-1])).softmax(1)[0]
    torch.testing.assert_close(found.pred_score, expected)


@pytest.mark.parametrize('labels', [(1,), (2, 2, 2), (0, 1)])
def test_batches_of_one_and_without_classes_train(labels):
    model = make_model()
    losses = model.loss(images(len(labels)), samples_of(labels))
    sum(losses.values()).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
    # Each has one, be it 0: several processes wait for all.
    assert all(g is not None and g.isfinite().all() for g in gradients.values())


def test_mistakes_are_named():
    with pytest.raises(TypeError, match="Fix: model.head.type='DMUEHead'"):
        make_model(head=dict(type='LinearClsHead', num_classes=C, in_channels=32))
    with pytest.raises(ValueError, match=r"no stage 'layer5'; it has .*'layer4'"):
        make_model(last_stage='layer5')
    with pytest.raises(ValueError, match='does not name its stages.*Fix: model.last'):
        make_model(dict(type='MobileNetV2'))
    with pytest.raises(ValueError, match='layer3 is not its last one.*Fix:'):
        make_model(last_stage='layer3').loss(images(), samples_of())


def step_on_rank(rank):
    """Gradients of a step of two ranks, and those of this rank's half alone."""
    labels = [(0, 2, 1, 2), (1, 1, 1, 1)][rank]
    both, alone = make_model(), make_model()
    for step in (alone.loss, DistributedDataParallel(Losses(both))):
        losses = step(images(side=32, seed=rank), samples_of(labels))
        sum(losses.values()).backward()
    return [
        torch.cat(
            [p.grad.flatten() for p in m.parameters() if p.requires_grad]
        ).tolist()
        for m in (both, alone)
    ]


def test_two_processes_take_the_mean_whatever_classes_they_lack():
    (one, alone), (other, alone_too) = in_two_processes(step_on_rank)
    assert one == other
    mean = (torch.tensor(alone) + torch.tensor(alone_too)) / 2
    torch.testing.assert_close(torch.tensor(one), mean, atol=1e-4, rtol=1e-3)


def test_it_resumes_exactly(tmp_path):
    options = {'model.head.turning_point': 1.0}
    whole = train(RECIPE, tmp_path / 'whole', **options)
    names = {f'loss_{part}' for part in ('target', 'soft', 'similarity', 'auxiliary')}
    assert all(set(row) == {'loss', *names} for row in losses_of(whole))
    stage = whole.model.backbone.layer4[0].conv1.weight
    assert not any(torch.equal(b[0].conv1.weight, stage) for b in whole.model.branches)
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill), **options)
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth', **options)
    assert resumed.iter == 6
    assert_same(resumed, whole)


def test_it_starts_from_the_weights_of_a_backbone(tmp_path):
    def look(runner, weights):
        assert_equal_to(runner.model.backbone.layer4, runner.model.branches)
        assert runner.model.head.epoch == 0

    start_from_backbone(RECIPE, tmp_path, look)
