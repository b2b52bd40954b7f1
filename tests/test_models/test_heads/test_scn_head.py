from pathlib import Path

import pytest
import torch
from mmpretrain.structures import DataSample
from ranks import Losses, in_two_processes
from short_training import (
    SAMPLES,
    At,
    Killed,
    assert_same,
    kill,
    start_from_backbone,
    train,
)
from torch.nn.parallel import DistributedDataParallel

from eac_mm.models.heads import SCNHead
from eac_mm.models.heads.scn_head import rank_loss, split_by_importance

RECIPE = Path(__file__).parents[3] / 'configs/scn/resnet18_syntheticfer_noise30.py'
N, C, L = 5, 6, 3
LABELS = [2, 0, 1, 1, 0]
LABELS_KEY = 'head.relabelling.values'
# Relabels from the second of two epochs on, whatever is above the label.
EARLY = {'model.head.relabel_start': 2, 'model.head.relabel_margin': 0.0}


def make_head(seed=0, epoch=9, **kwargs):
    torch.manual_seed(seed)
    head = SCNHead(num_classes=L, in_channels=C, **kwargs)
    if head.relabelling is not None:
        head.relabelling.resize(2 * N)
        head.relabelling.epoch = epoch
    return head


def make_feats(seed=1, n=N):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, C, generator=generator).requires_grad_()


def samples_of(labels=LABELS, first=0):
    return [
        DataSample(metainfo=dict(sample_idx=first + i)).set_gt_label(label)
        for i, label in enumerate(labels)
    ]


def test_groups_by_hand():
    importance = torch.tensor([0.3, 0.9, 0.5, 0.8, 0.1])
    high, low = split_by_importance(importance, 0.7)  # 3.5 are 3
    assert sorted(high.tolist()) == [1, 2, 3] and sorted(low.tolist()) == [0, 4]
    # 2.2 / 3 - 0.4 / 2 = 0.5333
    assert rank_loss(importance, high, low, 0.6).item() == pytest.approx(0.2 / 3)
    assert rank_loss(importance, high, low, 0.5).item() == 0


@pytest.mark.parametrize(
    ('n', 'beta', 'sizes'),
    [
        (90, 0.7, (63, 27)),  # 0.7 * 90 is below 63 in floating point
        (2, 0.7, (1, 1)),
        (1, 0.7, (0, 0)),
        (3, 0.3, (0, 0)),
        (0, 0.7, (0, 0)),
    ],
)
def test_no_group_is_left_empty_alone(n, beta, sizes):
    importance = torch.linspace(0.1, 0.9, n, requires_grad=True)
    high, low = split_by_importance(importance, beta)
    assert (len(high), len(low)) == sizes
    loss = rank_loss(importance, high, low, 1.0)
    loss.backward()
    assert loss.isfinite() and importance.grad.isfinite().all()
    assert (loss > 0) == (sizes[0] > 0)


def oracle(feats, state, labels, margin):
    """The losses from their equations, sample by sample."""
    cross_entropy, importance = 0, []
    for x, label in zip(feats, labels, strict=True):
        raw = state['importance.weight'][0] @ x + state['importance.bias'][0]
        alpha = 1 / (1 + (-raw).exp())
        logits = alpha * (state['fc.weight'] @ x + state['fc.bias'])
        cross_entropy = cross_entropy - (logits.exp() / logits.exp().sum())[label].log()
        importance.append(alpha)
    ordered = sorted(importance, key=lambda alpha: -alpha.item())
    gap = sum(ordered[:3]) / 3 - sum(ordered[3:]) / 2
    return cross_entropy / len(feats), (margin - gap).clamp(min=0)


@pytest.mark.parametrize('margin', [0.8, 0.0])
def test_losses_and_gradients_are_those_of_the_equations(margin):
    head, feats = make_head(rank_margin=margin, epoch=0), make_feats()
    losses = head.loss((feats,), samples_of())
    assert list(losses) == ['loss_cls', 'loss_rank']
    sum(losses.values()).backward()

    state = {k: v.detach().clone().requires_grad_() for k, v in head.named_parameters()}
    assert set(state) == {
        *('fc.weight', 'fc.bias', 'importance.weight', 'importance.bias')
    }
    other = make_feats()
    expected = oracle(other, state, LABELS, margin)
    sum(expected).backward()
    torch.testing.assert_close(tuple(losses.values()), expected)
    assert (losses['loss_rank'] > 0) == (margin > 0)
    torch.testing.assert_close(feats.grad, other.grad)
    for name, parameter in head.named_parameters():
        torch.testing.assert_close(parameter.grad, state[name].grad, msg=name)


def expected_labels(head, feats, who):
    """Whose label the rule replaces, and by what, from the equations."""
    with torch.no_grad():
        alpha = torch.sigmoid(feats @ head.importance.weight.T + head.importance.bias)
        chances = (alpha * (feats @ head.fc.weight.T + head.fc.bias)).softmax(1)
    low = set(alpha[:, 0].argsort()[:2].tolist())
    rows = []
    for i, (row, label) in enumerate(zip(chances.tolist(), LABELS, strict=True)):
        best = max(range(L), key=lambda c, row=row: row[c])
        replaced = row[best] - row[label] > 0.01 and (who == 'all' or i in low)
        rows.append(best if replaced else -1)
    return rows


@pytest.mark.parametrize('who', ['low_importance', 'all', None])
def test_who_is_relabelled(who):
    head, feats = make_head(relabel=who, relabel_margin=0.01), make_feats()
    losses = head.loss((feats,), samples_of())
    unchanged = make_head(relabel=None).loss((feats,), samples_of())
    assert losses == unchanged  # the step that replaces labels used the old ones
    if who is None:
        assert head.relabelling is None and 'relabelling' not in str(head.state_dict())
        return
    rows = expected_labels(head, feats, who)
    assert head.relabelling.values.tolist() == rows + [-1] * N
    replaced = [i for i, row in enumerate(rows) if row >= 0]
    assert len(replaced) == dict(low_importance=1, all=3)[who]
    # The next step trains on them.
    labels = [
        row if row >= 0 else label for row, label in zip(rows, LABELS, strict=True)
    ]
    again = head.loss((feats,), samples_of())['loss_cls']
    other = make_head(relabel=None).loss((feats,), samples_of(labels))['loss_cls']
    torch.testing.assert_close(again, other)
    assert not torch.isclose(again, losses['loss_cls'])


def test_a_batch_of_one():
    head = make_head(relabel_margin=0.0)
    feats = make_feats(n=1)
    wrong = head((feats,)).argmin().item()
    losses = head.loss((feats,), samples_of([wrong]))
    sum(losses.values()).backward()
    assert losses['loss_rank'] == 0
    assert all(p.grad.isfinite().all() for p in head.parameters())
    assert (head.relabelling.values == -1).all()  # it is in neither group
    head = make_head(relabel='all', relabel_margin=0.0)
    head.loss((feats,), samples_of([wrong]))
    assert head.relabelling.values[0] == head((feats,)).argmax()


def test_testing_scales_the_logits_and_keeps_the_class():
    head, feats = SCNHead(num_classes=L, in_channels=C).eval(), make_feats()
    alpha = torch.sigmoid(head.importance(feats))
    plain = head.fc(feats)
    torch.testing.assert_close(head((feats,)), alpha * plain)
    predicted = head.predict((feats[:1],))  # one image, and no state of samples
    assert predicted[0].pred_label.item() == plain[0].argmax()
    torch.testing.assert_close(
        predicted[0].pred_score, (alpha[0] * plain[0]).softmax(0)
    )


def test_in_bfloat16_the_head_computes_in_float32():
    head, feats = make_head(), make_feats()
    exact = head.loss((feats,), samples_of())
    with torch.autocast('cpu', torch.bfloat16):
        losses = head.loss((feats,), samples_of())
        half = head.loss((feats.bfloat16(),), samples_of())
    assert losses == exact
    assert all(loss.dtype == torch.float32 for loss in half.values())
    sum(half.values()).backward()
    assert feats.grad.isfinite().all() and feats.grad.any()


def test_what_is_recorded():
    head, feats = make_head(cal_acc=True), make_feats()
    taken = []
    plain = head.loss((feats,), samples_of())
    head.recorder = lambda logits: taken.extend(logits)
    recorded = head.loss((feats,), samples_of())
    (logits,) = taken
    torch.testing.assert_close(logits, head((feats,)))
    assert recorded['loss_cls'] == plain['loss_cls']
    right = (logits.argmax(1) == torch.tensor(LABELS)).float().mean() * 100
    assert plain['accuracy_top-1'][0].item() == pytest.approx(right.item())


def step_on_rank(rank):
    """Gradients of a step of two ranks, of this rank's half alone, and the labels."""
    alone, head = make_head(epoch=0), make_head(relabel='all', relabel_margin=0.01)
    feats, samples = make_feats(seed=rank), samples_of(first=N * rank)
    for model, step in ((alone, Losses(alone)), (head, None)):
        step = step or DistributedDataParallel(Losses(model))
        sum(step((feats,), samples).values()).backward()
    grads = [
        torch.cat([p.grad.flatten() for p in model.parameters()]).tolist()
        for model in (head, alone)
    ]
    own = expected_labels(head, feats.detach(), 'all')
    return *grads, head.relabelling.values.tolist(), own


def test_two_processes_rank_their_own_samples_and_share_the_labels():
    first, second = in_two_processes(step_on_rank)
    assert first[0] == second[0]
    mean = (torch.tensor(first[1]) + torch.tensor(second[1])) / 2
    torch.testing.assert_close(torch.tensor(first[0]), mean)
    assert first[2] == second[2] == first[3] + second[3]
    assert any(label >= 0 for label in first[3] + second[3])


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        (dict(rank_margin=1.1), r'rank_margin=1.1: .*Fix: model.head.rank_margin=0.15'),
        (dict(beta=1.0), r'beta=1.0: .*Fix: model.head.beta=0.7'),
        (dict(relabel='low'), r"relabel='low' is unknown. Fix: model.head.relabel"),
    ],
)
def test_errors(option, message):
    with pytest.raises(ValueError, match=message):
        make_head(**option)


def test_it_resumes_exactly(tmp_path):
    options = {**EARLY, 'train_cfg.max_epochs': 3}
    whole = train(RECIPE, tmp_path / 'whole', **options)
    with pytest.raises(Killed):
        train(RECIPE, tmp_path / 'killed', At(7, kill), **options)
    path = tmp_path / 'killed' / 'epoch_2.pth'
    labels = torch.load(path, weights_only=True)['state_dict'][LABELS_KEY]
    assert len(labels) == SAMPLES and (labels >= 0).any() and (labels < 0).any()
    resumed = train(RECIPE, tmp_path / 'killed', resume=path.name, **options)
    assert resumed.iter == 9
    assert_same(resumed, whole)


def test_it_starts_from_the_weights_of_a_backbone(tmp_path):
    def look(runner, _):
        assert runner.model.head.relabelling.values.tolist() == [-1] * SAMPLES

    start_from_backbone(RECIPE, tmp_path, look)
