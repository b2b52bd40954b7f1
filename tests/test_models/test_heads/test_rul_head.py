import math
from pathlib import Path

import pytest
import torch
from mmpretrain.structures import DataSample
from ranks import Losses, in_two_processes
from short_training import At, Killed, assert_same, kill, start_from_backbone, train
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from eac_mm.models.heads import RULHead
from eac_mm.models.heads.rul_head import mix

CONFIGS = Path(__file__).parents[3] / 'configs/rul'
RECIPE = CONFIGS / 'resnet18_syntheticfer_noise30.py'
N, C, S, D, L = 4, 3, 2, 5, 3
LABELS = [2, 0, 1, 1]


def make_head(seed=0, **kwargs):
    torch.manual_seed(seed)
    settings = dict(num_classes=L, in_channels=C, map_size=S, feat_channels=D)
    return RULHead(**{**settings, 'dropout': 0.0, **kwargs})


def make_maps(seed=1, n=N):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, C, S, S, generator=generator).requires_grad_()


def samples_of(labels=LABELS):
    return [DataSample().set_gt_label(label) for label in labels]


def pair(monkeypatch, *order):
    """Have the next permutations of a batch be this one."""
    monkeypatch.setattr(torch, 'randperm', lambda n: torch.tensor(order))


def test_mixing_by_hand():
    features = torch.tensor([[4.0, 0.0], [0.0, 8.0], [1.0, 1.0]])
    uncertainty = torch.tensor([1.0, 3.0, 7.0])
    mixed = mix(features, uncertainty, torch.tensor([1, 0, 2]))
    # 1/4 of the first and 3/4 of the second, both ways; the third alone
    expected = torch.tensor([[1.0, 6.0], [1.0, 6.0], [1.0, 1.0]])
    torch.testing.assert_close(mixed, expected)


def test_the_uncertainty_by_hand():
    head = make_head(feat_channels=2)
    maps = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1).repeat(1, C, S, S)
    with torch.no_grad():
        linear, norm = head.uncertainty_branch[3:]
        linear.weight.zero_()
        linear.weight[0, 0] = 1.0  # the second feature is 0 in both samples
        linear.bias.zero_()
        norm.weight.fill_(math.log(2))
        norm.bias.copy_(torch.tensor([0.0, math.log(3)]))
        sigma = head.uncertainty((maps,))
    # Standardised to 1 and -1: exp(+-log 2) and exp(log 3), of which it is the mean
    expected = torch.tensor([(2 + 3) / 2, (0.5 + 3) / 2])
    torch.testing.assert_close(sigma, expected, atol=1e-4, rtol=0)


def norm_oracle(x, dims):
    mean = x.mean(dims, keepdim=True)
    return (x - mean) / (x.var(dims, keepdim=True, unbiased=False) + 2e-5).sqrt()


def oracle(maps, state, order, labels):
    """The loss from its equations, with batch statistics written out."""

    def branch(name):
        x = norm_oracle(maps, (0, 2, 3)).reshape(len(maps), -1)
        x = x @ state[f'{name}.3.weight'].T + state[f'{name}.3.bias']
        return norm_oracle(x, 0) * state[f'{name}.4.weight'] + state[f'{name}.4.bias']

    mu = branch('feature_branch')
    sigma = branch('uncertainty_branch').exp().sum(1) / D
    loss = 0
    for i, j in enumerate(order):
        mixed = (sigma[i] * mu[i] + sigma[j] * mu[j]) / (sigma[i] + sigma[j])
        logits = state['fc.weight'] @ mixed + state['fc.bias']
        chance = logits.exp() / logits.exp().sum()
        loss = loss - chance[labels[i]].log() - chance[labels[j]].log()
    return loss / (2 * len(maps))


def test_loss_and_gradients_are_those_of_the_equations(monkeypatch):
    order = [2, 3, 1, 0]
    pair(monkeypatch, *order)
    head, maps = make_head(), make_maps()
    losses = head.loss((maps,), samples_of())
    assert list(losses) == ['loss']
    losses['loss'].backward()

    names = [name for name, _ in head.named_parameters()]
    state = {k: v.detach().clone().requires_grad_() for k, v in head.named_parameters()}
    other = make_maps()
    expected = oracle(other, state, order, LABELS)
    expected.backward()
    torch.testing.assert_close(losses['loss'], expected)
    torch.testing.assert_close(maps.grad, other.grad, atol=1e-5, rtol=1e-4)
    found = dict(head.named_parameters())
    for name in names:  # sigma too: it learns through the mixing alone
        ours, theirs = found[name].grad, state[name].grad
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4, msg=name)
    assert found['uncertainty_branch.3.weight'].grad.abs().max() > 1e-4


def test_alone_a_sample_is_not_mixed(monkeypatch):
    pair(monkeypatch, 0, 1, 2, 3)
    head, maps = make_head(), make_maps()
    loss = head.loss((maps,), samples_of())['loss']
    logits = head((maps,))
    torch.testing.assert_close(loss, F.cross_entropy(logits, torch.tensor(LABELS)))
    loss.backward()
    assert not head.uncertainty_branch[3].weight.grad.any()


def test_in_testing_one_branch_runs():
    head, maps = make_head(dropout=0.4), make_maps().detach()
    head.loss((maps,), samples_of())  # moves the running statistics
    head.eval()
    linear, norm = head.feature_branch[3:]
    first = head.feature_branch[0]
    x = (maps - first.running_mean.view(1, C, 1, 1)) / (
        first.running_var.view(1, C, 1, 1) + 2e-5
    ).sqrt()
    x = (linear(x.flatten(1)) - norm.running_mean) / (norm.running_var + 2e-5).sqrt()
    expected = head.fc(x)
    head.uncertainty_branch = None
    torch.testing.assert_close(head((maps,)), expected)
    predicted = head.predict((maps[:1],))  # one image is enough
    torch.testing.assert_close(predicted[0].pred_score, expected[0].softmax(0))


def test_bfloat16_is_left_for_the_exponential_and_the_mixing(monkeypatch):
    pair(monkeypatch, 1, 0, 3, 2)
    head, maps = make_head(), make_maps()
    with torch.autocast('cpu', torch.bfloat16):
        sigma = head.uncertainty((maps,))
        logits = head.uncertainty_branch(maps)
        loss = head.loss((maps,), samples_of())['loss']
    assert sigma.dtype == loss.dtype == torch.float32
    torch.testing.assert_close(sigma, logits.float().exp().mean(1), atol=0, rtol=1e-6)
    exact = head.loss((maps,), samples_of())['loss']
    assert loss.item() == pytest.approx(exact.item(), rel=0.05)
    loss.backward()
    assert maps.grad.isfinite().all() and maps.grad.any()


def test_batches_of_one_and_other_maps_are_refused():
    head = make_head()
    with pytest.raises(ValueError, match=r'Fix: train_dataloader.drop_last=True'):
        head.loss((make_maps(n=1),), samples_of([0]))
    with pytest.raises(ValueError, match=r'Fix: model.neck=None'):
        head.loss((torch.zeros(N, C),), samples_of())


def test_what_is_recorded_is_not_mixed(monkeypatch):
    pair(monkeypatch, 1, 0, 3, 2)
    head, maps = make_head(cal_acc=True), make_maps()
    taken = []
    plain = head.loss((maps,), samples_of())
    head.recorder = lambda logits: taken.extend(logits)
    recorded = head.loss((maps,), samples_of())
    expected = head((maps,))
    (logits,) = taken
    torch.testing.assert_close(logits, expected)
    assert torch.equal(recorded['loss'], plain['loss'])
    right = (expected.argmax(1) == torch.tensor(LABELS)).float().mean() * 100
    assert recorded['accuracy_top-1'][0].item() == pytest.approx(right.item())


def numbered(labels=LABELS, first=0):
    samples = samples_of(labels)
    for index, sample in enumerate(samples, first):
        sample.set_metainfo(dict(sample_idx=index))
    return samples


def make_relabelling_head(epoch=9, size=N):
    head = make_head(relabel=True, relabel_margin=0.0)
    head.relabelling.resize(size)
    head.relabelling.epoch = epoch
    return head


def test_labels_are_replaced_by_what_mu_says_without_mixing(monkeypatch):
    order = [2, 3, 1, 0]
    pair(monkeypatch, *order)
    head, maps = make_relabelling_head(), make_maps().detach()
    plain = make_head().loss((maps,), samples_of())['loss']
    assert head.loss((maps,), numbered())['loss'] == plain  # of the old labels
    said = head((maps,)).argmax(1).tolist()
    rows = [p if p != label else -1 for p, label in zip(said, LABELS, strict=True)]
    assert head.relabelling.values.tolist() == rows
    assert -1 in rows and set(rows) != {-1}
    # Both labels of a pair are new ones now.
    again = head.loss((maps,), numbered())['loss']
    state = {k: v.detach() for k, v in head.named_parameters()}
    torch.testing.assert_close(again, oracle(maps, state, order, said))
    late = make_relabelling_head(epoch=8)  # the ninth epoch
    late.loss((maps,), numbered())
    assert late.relabelling.values.tolist() == [-1] * N


def relabel_on_rank(rank):
    head, maps = make_relabelling_head(size=2 * N), make_maps(seed=rank).detach()
    head.loss((maps,), numbered(first=N * rank))
    said = head((maps,)).argmax(1).tolist()
    own = [p if p != label else -1 for p, label in zip(said, LABELS, strict=True)]
    return head.relabelling.values.tolist(), own


def test_two_processes_share_the_new_labels():
    (one, first), (other, second) = in_two_processes(relabel_on_rank)
    assert one == other == first + second


def step_on_rank(rank):
    """Gradients of a step of two ranks, and those of this rank's half alone."""
    head, maps = make_head(), make_maps(seed=rank)
    alone = make_head()
    for model, step in ((alone, alone.loss), (head, None)):
        torch.manual_seed(rank)
        step = step or DistributedDataParallel(Losses(model))
        step((maps.detach(),), samples_of())['loss'].backward()
    return [
        torch.cat([p.grad.flatten() for p in model.parameters()]).tolist()
        for model in (head, alone)
    ]


def test_two_processes_pair_their_own_samples():
    (one, alone), (other, alone_too) = in_two_processes(step_on_rank)
    assert one == other
    mean = (torch.tensor(alone) + torch.tensor(alone_too)) / 2
    torch.testing.assert_close(torch.tensor(one), mean)
    assert alone != alone_too


def test_it_resumes_exactly(tmp_path):
    whole = train(RECIPE, tmp_path / 'whole')
    rates = {
        group['initial_lr']: len(group['params'])
        for group in whole.optim_wrapper.param_groups
    }
    assert set(rates) == {2e-3, 2e-2}
    faster = {
        id(parameter)
        for group in whole.optim_wrapper.param_groups
        if group['initial_lr'] == 2e-2
        for parameter in group['params']
    }
    assert faster == {id(p) for p in whole.model.head.fc.parameters()}
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill))
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth')
    assert resumed.iter == 6
    assert_same(resumed, whole)


def test_it_resumes_exactly_with_new_labels(tmp_path):
    options = {
        'model.head.relabel': True,
        'model.head.relabel_margin': 0.0,
        'model.head.relabel_start': 1,
    }
    whole = train(RECIPE, tmp_path / 'whole', **options)
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(4, kill), **options)
    resumed = train(RECIPE, tmp_path / 'killed', resume='epoch_1.pth', **options)
    labels = resumed.model.head.relabelling.values
    assert (labels >= 0).any() and (labels < 0).any()
    assert_same(resumed, whole)


def test_it_starts_from_the_weights_of_a_backbone(tmp_path):
    start_from_backbone(RECIPE, tmp_path)
