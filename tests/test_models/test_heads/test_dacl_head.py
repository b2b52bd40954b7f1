import math
from pathlib import Path

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from ranks import Losses, in_two_processes
from short_training import At, Killed, assert_same, kill, start_from_backbone, train
from torch.nn.parallel import DistributedDataParallel

from eac_mm.models.heads import DACLHead
from eac_mm.models.heads.dacl_head import attentive_distance, centre_steps

RECIPE = Path(__file__).parents[3] / 'configs/dacl/resnet18_syntheticfer_noise30.py'
N, C, S, L = 4, 6, 2, 3
WIDTHS = (5, 4, 3)
LABELS = [2, 0, 0, 2]  # class 1 is missing


def make_head(seed=0, **kwargs):
    torch.manual_seed(seed)
    settings = dict(num_classes=L, in_channels=C, map_size=S, attention_channels=WIDTHS)
    return DACLHead(**{**settings, **kwargs})


def make_maps(seed=1, n=N):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, C, S, S, generator=generator).requires_grad_()


def samples_of(labels=LABELS):
    return [DataSample().set_gt_label(label) for label in labels]


def test_the_distance_and_the_steps_of_the_centres_by_hand():
    features = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 4.0]])
    attention = torch.tensor([[0.5, 0.25], [1.0, 0.5], [0.5, 0.75]])
    centres = torch.tensor([[1.0, 0.0], [5.0, 5.0], [2.0, 2.0]])
    labels = torch.tensor([0, 0, 2])
    # .5 * 0 + .25 * 4 = 1;  1 * 4 + .5 * 0 = 4;  .5 * 4 + .75 * 4 = 5
    distance = attentive_distance(features, attention, centres[labels])
    assert distance.item() == pytest.approx((1 + 4 + 5) / (2 * 3))
    # Class 0: (.5 * 0 + 1 * 2, .25 * 2 + .5 * 0) / 3; class 2: (.5 * -2, .75 * 2) / 2
    steps = centre_steps(features, attention, labels, centres)
    expected = torch.tensor([[2 / 3, 0.5 / 3], [0.0, 0.0], [-0.5, 0.75]])
    torch.testing.assert_close(steps, expected)


def norm_oracle(x):
    return (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()


def oracle(maps, state, centres, labels, weight=0.01):
    """Both losses from their equations, and the attention."""
    x = maps.reshape(len(maps), -1)
    for layer in (1, 4, 7):
        x = x @ state[f'attention_net.{layer}.weight'].T
        x = norm_oracle(x + state[f'attention_net.{layer}.bias'])
        norm = f'attention_net.{layer + 1}'
        x = x * state[f'{norm}.weight'] + state[f'{norm}.bias']
        x = x.tanh() if layer == 7 else x.clamp(min=0)
    x = x @ state['attention_net.10.weight'].T + state['attention_net.10.bias']
    x = x.exp()
    attention = x[:, 1::2] / (x[:, ::2] + x[:, 1::2])
    f = maps.sum((2, 3)) / S**2
    cls = centre = 0
    for i, label in enumerate(labels):
        chance = (state['fc.weight'] @ f[i] + state['fc.bias']).softmax(0)
        cls = cls - chance[label].log() / len(labels)
        square = (attention[i] * (f[i] - centres[label]) ** 2).sum()
        centre = centre + weight * square / (2 * len(labels))
    return cls, centre, attention, f


def test_losses_and_gradients_are_those_of_the_equations():
    head, maps = make_head(centre_weight=2.0), make_maps()
    centres = head.centres.clone()
    losses = head.loss((maps,), samples_of())
    assert list(losses) == ['loss_cls', 'loss_centre']
    sum(losses.values()).backward()

    state = {k: v.detach().clone().requires_grad_() for k, v in head.named_parameters()}
    other = make_maps()
    cls, centre, *_ = oracle(other, state, centres, LABELS, weight=2.0)
    (cls + centre).backward()
    torch.testing.assert_close(losses['loss_cls'], cls)
    torch.testing.assert_close(losses['loss_centre'], centre)
    torch.testing.assert_close(maps.grad, other.grad, atol=1e-5, rtol=1e-4)
    for name, parameter in head.named_parameters():  # the attention too
        torch.testing.assert_close(
            parameter.grad, state[name].grad, atol=1e-5, rtol=1e-4, msg=name
        )
    assert head.attention_net[1].weight.grad.abs().max() > 1e-4


def test_centres_move_after_the_loss_and_by_neither_its_weight_nor_n():
    head, maps = make_head(centre_weight=0.0), make_maps()
    before = head.centres.clone()
    head.loss((maps,), samples_of())
    _, _, attention, f = oracle(maps, dict(head.named_parameters()), before, LABELS)
    expected = before.clone()
    for k in (0, 2):
        mine = [i for i in range(N) if LABELS[i] == k]
        pull = sum(attention[i] * (f[i] - before[k]) for i in mine)
        expected[k] += 0.5 * pull / (1 + len(mine))
    torch.testing.assert_close(head.centres, expected.detach())
    assert torch.equal(head.centres[1], before[1])  # a class without samples
    assert 'centres' in head.state_dict()
    assert 'centres' not in dict(head.named_parameters())


def test_sizes_and_start():
    head = MODELS.build(dict(type='DACLHead', num_classes=7, in_channels=64))
    linear = [m for m in head.attention_net if isinstance(m, torch.nn.Linear)]
    widths = [(layer.in_features, layer.out_features) for layer in linear]
    assert widths == [(64 * 49, 64 * 7), (64 * 7, 64), (64, 8), (8, 128)]
    for layer in linear[:2]:  # He: variance 2 / inputs
        assert layer.weight.std().item() == pytest.approx(
            math.sqrt(2 / layer.in_features), rel=0.02
        )
        assert not layer.bias.any()
    assert head.centres.shape == (7, 64)
    # 448 normal numbers: their deviation strays by 3.4 %
    assert head.centres.std().item() == pytest.approx(math.sqrt(2 / 7), rel=0.14)


def test_the_authors_sizes():
    with torch.device('meta'):
        head = DACLHead(num_classes=7, in_channels=512)
    linear = [m for m in head.attention_net if isinstance(m, torch.nn.Linear)]
    sizes = [25088, *(layer.out_features for layer in linear)]
    assert sizes == [25088, 3584, 512, 64, 1024]
    weights = sum(p.numel() for p in head.attention_net.parameters())
    assert weights == pytest.approx(91.9e6, rel=1e-3)


def test_in_testing_the_classifier_runs_alone():
    head, maps = make_head().eval(), make_maps()
    head.attention_net = head.centres = None
    expected = maps.mean((2, 3)) @ head.fc.weight.T + head.fc.bias
    torch.testing.assert_close(head((maps,)), expected)
    predicted = head.predict((maps[:1],))  # one image is enough
    torch.testing.assert_close(predicted[0].pred_score, expected[0].softmax(0))


def test_bfloat16_is_left_for_attention_distance_and_centres():
    head, exact, maps = make_head(), make_head(), make_maps()
    with torch.autocast('cpu', torch.bfloat16):
        losses = head.loss((maps.bfloat16(),), samples_of())
        attention = head.attention((maps,))
        steps = centre_steps(
            maps.mean((2, 3)).bfloat16(), attention, torch.tensor(LABELS), head.centres
        )
    assert attention.dtype == losses['loss_centre'].dtype == torch.float32
    assert head.centres.dtype == steps.dtype == torch.float32
    expected = exact.loss((maps,), samples_of())
    for name, loss in losses.items():
        assert loss.item() == pytest.approx(expected[name].item(), rel=0.05)
    sum(losses.values()).backward()
    assert maps.grad.isfinite().all() and maps.grad.any()
    # The squares keep the digits that bfloat16 has not.
    one = torch.ones(1, 1)
    with torch.autocast('cpu', torch.bfloat16):
        distance = attentive_distance(one, one, one * 1.001)
    assert distance.item() == pytest.approx(0.5e-6, rel=1e-3)


@pytest.mark.parametrize(
    ('maps', 'samples', 'fix'),
    [
        (make_maps(n=1), samples_of([0]), 'train_dataloader.drop_last=True'),
        (torch.zeros(N, C), samples_of(), 'model.neck=None'),
        (
            make_maps(),
            [DataSample().set_gt_score(torch.full((L,), 1 / L)) for _ in range(N)],
            'no model.train_cfg.augments',
        ),
    ],
)
def test_batches_that_are_refused(maps, samples, fix):
    with pytest.raises(ValueError, match=f'Fix: {fix}'):
        make_head().loss((maps,), samples)


@pytest.mark.parametrize('wrong', [dict(centre_weight=-1), dict(centre_rate=1.5)])
def test_settings_that_are_refused(wrong):
    with pytest.raises(ValueError, match=r'Fix: model.head.centre_weight=0.01'):
        make_head(**wrong)


def test_what_is_recorded():
    head, maps, taken = make_head(cal_acc=True), make_maps(), []
    head.recorder = lambda logits: taken.extend(logits)
    losses = head.loss((maps,), samples_of())
    (logits,) = taken
    torch.testing.assert_close(logits, head((maps,)))
    right = (logits.argmax(1) == torch.tensor(LABELS)).float().mean() * 100
    assert losses['accuracy_top-1'][0].item() == pytest.approx(right.item())


def step_on_rank(rank):
    """Centres before and after a step of two ranks that began with others."""
    head = make_head(seed=rank)
    wrapped = DistributedDataParallel(Losses(head), broadcast_buffers=False)
    start = head.centres.clone()
    maps, labels = make_maps(seed=rank), [LABELS, [0, 1, 1, 1]][rank]
    losses = wrapped((maps.detach(),), samples_of(labels))
    sum(losses.values()).backward()
    with torch.no_grad():  # attention in training: of this rank's batch
        attention, f = head.attention((maps,)), maps.mean((2, 3))
    gradient = head.attention_net[1].weight.grad
    state = start, head.centres, attention, f, gradient
    return [tensor.detach().tolist() for tensor in state], labels


def test_two_processes_keep_equal_centres():
    found, labels = zip(*in_two_processes(step_on_rank), strict=True)
    (one, other) = ([torch.tensor(x) for x in state] for state in found)
    start, moved = one[:2]
    assert not torch.equal(start, other[0])  # until the first step
    assert torch.equal(moved, other[1])
    assert torch.equal(one[4], other[4])
    labels = torch.tensor([*labels[0], *labels[1]])
    attention, f = (torch.cat([one[i], other[i]]) for i in (2, 3))
    for k in range(L):  # as one process does with the whole batch
        mine = labels == k
        pull = (attention[mine] * (f[mine] - start[k])).sum(0) / (1 + mine.sum())
        torch.testing.assert_close(moved[k], start[k] + 0.5 * pull)


def test_it_resumes_exactly(tmp_path):
    whole = train(RECIPE, tmp_path / 'whole')
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill))
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth')
    assert resumed.iter == 6
    assert_same(resumed, whole)  # the centres with it
    first, last = (
        torch.load(tmp_path / f'whole/epoch_{epoch}.pth', weights_only=True)
        for epoch in (1, 2)
    )
    centres = [saved['state_dict']['head.centres'] for saved in (first, last)]
    assert torch.equal(centres[1], whole.model.head.centres)
    assert not torch.equal(*centres)


def test_it_starts_from_the_weights_of_a_backbone(tmp_path):
    def look(runner, _):
        assert runner.model.head.centres.max() < 5

    more = {'head.centres': torch.full((7, 128), 5.0)}  # of another training
    start_from_backbone(RECIPE, tmp_path, look, more_weights=more)
