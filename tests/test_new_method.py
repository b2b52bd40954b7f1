"""Add a method without a change in ``eac_mm``: what one writes, and what one gets.

The two classes below are whole methods, written as one would write them in a package of
one's own: register the class, name it in a config over a baseline recipe, train. The
tests hold what comes with it: checks before training, exact resume, and a start from
the weights of a backbone.
"""

from pathlib import Path

import pytest
import short_training
import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import MODELS
from short_training import SAMPLES, At, Killed, assert_same, kill, losses_of
from torch import nn
from torch.nn import functional as F

from eac_mm.models import SampleState

RECIPE = Path(__file__).parents[1] / 'configs/baseline/resnet18_syntheticfer_noise30.py'


@MODELS.register_module()
class EarlyTargetsHead(LinearClsHead):
    """Keep to what the network predicted early, with a learned weight a sample.

    The regularisation is that of `Early-Learning Regularization Prevents Memorization
    of Noisy Labels <https://arxiv.org/abs/2007.00151>`_, the weight that of
    `Suppressing Uncertainties for Large-Scale Facial Expression Recognition
    <https://arxiv.org/abs/2002.10392>`_.

    Args:
        momentum: Momentum of the targets. Defaults to 0.7.
        weight: Weight of the regularisation. Defaults to 3.0.
        **kwargs: ``num_classes``, ``in_channels``, ... of ``LinearClsHead``.
    """

    def __init__(self, momentum=0.7, weight=3.0, **kwargs):
        super().__init__(**kwargs)
        self.momentum, self.weight = momentum, weight
        self.importance = nn.Linear(self.in_channels, 1)
        # A row a sample: in every checkpoint, and load_from leaves it new.
        self.targets = SampleState((self.num_classes,))

    def loss(self, feats, data_samples):
        features = self.pre_logits(feats)
        scores = self.fc(features) * self.importance(features).sigmoid()
        labels = torch.cat([sample.gt_label for sample in data_samples])
        probabilities = scores.softmax(1)
        indices = self.targets.indices(data_samples)
        old = self.targets.read(indices)
        targets = old.lerp(probabilities.detach(), 1 - self.momentum)
        self.targets.write(indices, targets)
        agreement = (targets * probabilities).sum(1).clamp(max=0.9999)
        return dict(
            loss_cls=F.cross_entropy(scores, labels),
            loss_early=self.weight * (1 - agreement).log().mean(),
        )


@MODELS.register_module()
class EasyForTheOther(ImageClassifier):
    """Train two networks, each on the samples that the other finds easy.

    `Co-teaching: Robust Training of Deep Neural Networks with Extremely Noisy Labels
    <https://arxiv.org/abs/1804.06872>`_. The first network predicts.

    Args:
        backbone: Config of each network's backbone.
        head: Config of each network's head.
        keep: Share of a batch that is trained on. Defaults to 0.7.
        **kwargs: Further arguments of ``ImageClassifier``.
    """

    def __init__(self, backbone, head, keep=0.7, **kwargs):
        super().__init__(backbone=backbone, head=head, **kwargs)
        # "backbone" in the name: load_from must fill it.
        self.backbone2, self.head2 = MODELS.build(backbone), MODELS.build(head)
        self.keep = keep

    def loss(self, inputs, data_samples):
        labels = torch.cat([sample.gt_label for sample in data_samples])
        first = self.head(self.neck(self.backbone(inputs)))
        second = self.head2(self.neck(self.backbone2(inputs)))
        losses = [F.cross_entropy(x, labels, reduction='none') for x in (first, second)]
        kept = max(1, int(self.keep * len(labels)))
        easy = [loss.argsort()[:kept] for loss in losses]
        return dict(
            loss_first=losses[0][easy[1]].mean(), loss_second=losses[1][easy[0]].mean()
        )


CONFIGS = dict(
    early="""
model = dict(head=dict(type='EarlyTargetsHead', init_cfg=None))
""",
    two="""
model = dict(type='EasyForTheOther')
""",
)


@pytest.fixture
def train(tmp_path):
    """Train a method in this process; return the runner at its end."""

    def run(method, name, *hooks, **options):
        recipe = tmp_path / f'{method}.py'
        recipe.write_text(f'_base_ = [{str(RECIPE)!r}]\n{CONFIGS[method]}')
        return short_training.train(recipe, tmp_path / name, *hooks, **options)

    return run


@pytest.mark.parametrize('method', CONFIGS)
def test_it_trains_and_the_checks_before_change_nothing(method, train):
    runner = train(method, 'checked')
    losses = losses_of(runner)
    assert len(losses) == 6
    names = dict(early='cls early', two='first second')[method].split()
    assert all(set(row) == {'loss', *(f'loss_{n}' for n in names)} for row in losses)
    unchecked = train(method, 'unchecked', without=('preflight',))
    assert losses_of(unchecked) == losses
    assert_same(unchecked, runner)


@pytest.mark.parametrize('method', CONFIGS)
def test_it_resumes_exactly(method, train):
    whole = train(method, 'whole')
    with pytest.raises(Killed):
        train(method, 'killed', At(4, kill))
    resumed = train(method, 'killed', resume='epoch_1.pth')
    assert resumed.iter == 6
    assert_same(resumed, whole)
    if method == 'early':
        # Every sample was seen twice: 1 - 0.7^2 of its target is there.
        sums = resumed.model.head.targets.values.sum(1)
        torch.testing.assert_close(sums, torch.full((SAMPLES,), 0.51))
        saved = torch.load(Path(resumed.work_dir) / 'epoch_2.pth', weights_only=True)
        assert torch.equal(
            saved['state_dict']['head.targets.values'],
            resumed.model.head.targets.values,
        )


@pytest.mark.parametrize('method', CONFIGS)
def test_it_starts_from_the_weights_of_a_backbone(method, train, tmp_path):
    donor = train(method, 'donor', **{'train_cfg.max_epochs': 1})
    weights = donor.model.backbone.state_dict()
    torch.save(
        dict(state_dict={f'backbone.{k}': v for k, v in weights.items()}),
        tmp_path / 'backbone.pth',
    )
    started = []

    def note(runner):
        state = runner.model.state_dict()
        started.append({key: value.clone() for key, value in state.items()})

    start = dict(load_from=str(tmp_path / 'backbone.pth'))
    train(method, 'started', At(0, note), **start, **{'train_cfg.max_epochs': 1})
    backbones = ['backbone'] if method == 'early' else ['backbone', 'backbone2']
    for name in backbones:
        for key, value in weights.items():
            assert torch.equal(started[0][f'{name}.{key}'], value), (name, key)
    if method == 'early':
        assert not started[0]['head.targets.values'].any()
    else:
        assert not torch.equal(
            started[0]['head.fc.weight'], started[0]['head2.fc.weight']
        )


@pytest.mark.parametrize('method', CONFIGS)
def test_other_weights_are_refused(method, train, tmp_path):
    torch.save({'encoder.weight': torch.zeros(1)}, tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='load_from does not fill backbone'):
        train(method, 'other', load_from=str(tmp_path / 'other.pth'))


@pytest.mark.parametrize(
    ('method', 'options', 'message'),
    [
        (
            'early',
            {'model.head.in_channels': 64},
            r'cannot train .*head.in_channels=128',
        ),
        ('two', {'model.head.in_channels': 64}, r'head.fc, Linear, .*in_channels=128'),
        ('two', {'model.head.num_classes': 8}, r'num_classes=8, but .* 7 classes'),
    ],
)
def test_mistakes_are_named_before_training(method, options, message, train):
    with pytest.raises(ValueError, match=message):
        train(method, 'wrong', At(0, kill), **options)
