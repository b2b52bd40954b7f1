import math

import pytest
import torch
from mmpretrain.structures import DataSample
from torch.nn import functional as F

from eac_mm.models.heads import DMUEHead
from eac_mm.models.losses import dmue

N, D, C = 6, 5, 3
LABELS = [0, 2, 1, 2, 1, 0]
TURN = 4


def make_head(epoch=2, seed=0, **kwargs):
    torch.manual_seed(seed)
    settings = dict(num_classes=C, in_channels=D, turning_point=TURN, dropout=0.0)
    head = DMUEHead(**{**settings, **kwargs})
    with torch.no_grad():  # large enough to matter
        for classifier in (head.fc, *head.auxiliary):
            classifier.weight.mul_(500)
        head.norm.weight.uniform_(0.5, 1.5)
    head.epoch = epoch
    return head


def make_features(seed=1, n=N):
    generator = torch.Generator().manual_seed(seed)
    feats = torch.randn(1 + C, n, D, generator=generator)
    return [f.clone().requires_grad_() for f in feats]


def samples_of(labels=LABELS):
    return [DataSample().set_gt_label(label) for label in labels]


def run(head, features, labels=LABELS):
    target, *branches = features
    return head.loss((target,), samples_of(labels), branch_feats=branches)


def oracle(features, state, epoch, labels, statistics=None):
    """The four terms from their equations, sample by sample and group by group."""
    target, *branches = features

    def norm(x):
        mean, var = statistics or (x.mean(0), x.var(0, unbiased=False))
        return (x - mean) / (var + 1e-5).sqrt() * state['norm.weight']

    def chances(z):
        return z.exp() / z.exp().sum()

    up = math.exp(-5 * (1 - epoch / TURN) ** 2) if epoch <= TURN else 1
    down = 1 if epoch < TURN else math.exp(-((1 - TURN / epoch) ** 2))
    z = norm(target) @ state['fc.weight'].T
    aux = [norm(b) @ state[f'auxiliary.{i}.weight'].T for i, b in enumerate(branches)]
    here = sorted(set(labels))
    unit = target / target.norm(dim=1, keepdim=True)
    ce, soft = 0, 0
    for n, label in enumerate(labels):
        means = {
            c: sum(unit[n] @ unit[m] for m, y in enumerate(labels) if y == c)
            / labels.count(c)
            for c in here
        }
        low, high = min(means.values()), max(means.values())
        scaled = [
            (means[c] - low) / (high - low) if c in means and high > low else low * 0
            for c in range(C)
        ]
        said = torch.stack(
            [*scaled, *(torch.tensor(float(c == label)) for c in range(C))]
        )
        hidden = state['confidence.0.weight'] @ said + state['confidence.0.bias']
        hidden = hidden.clamp(min=0) + state['confidence.1.weight'] * hidden.clamp(
            max=0
        )
        out = state['confidence.2.weight'] @ hidden + state['confidence.2.bias']
        score = 1 / (1 + (-out).exp())
        ce = ce - chances(score * z[n])[label].log() / len(labels)
        q = chances(aux[label][n]).detach() ** (1 / 1.2)
        q = q / q.sum()
        rest = [c for c in range(C) if c != label]
        soft = soft + ((chances(z[n])[rest] - q) ** 2).sum() / (len(labels) * C)
    auxiliary = []
    for i in range(C):
        rows = [n for n, label in enumerate(labels) if label != i]
        each = [-chances(aux[i][n])[labels[n] - (labels[n] > i)].log() for n in rows]
        if rows:
            auxiliary.append(sum(each) / len(rows))
    similarity = dmue.similarity_loss(
        torch.stack(aux), norm(target), torch.tensor(labels)
    )
    return dict(
        loss_target=up * ce,
        loss_soft=up * 0.5 * soft,
        loss_similarity=up * 1000 * similarity,
        loss_auxiliary=down * sum(auxiliary) / len(auxiliary),
    )


@pytest.mark.parametrize('epoch', [2, 8])
@pytest.mark.parametrize('labels', [LABELS, [1, 2, 1, 2, 1, 2]])
def test_losses_and_gradients_are_those_of_the_equations(epoch, labels):
    head, features, others = make_head(epoch), make_features(), make_features()
    state = {k: v.detach().clone() for k, v in head.named_parameters()}
    for value in state.values():
        value.requires_grad_()
    losses = run(head, features, labels)
    expected = oracle(others, state, epoch, labels)
    assert losses.keys() == expected.keys()
    for name, loss in losses.items():
        torch.testing.assert_close(loss.squeeze(), expected[name].squeeze(), msg=name)
    # The similarity loss, whose weight hides the rest, is held by its own test.
    for found in (losses, expected):
        total = sum(loss for name, loss in found.items() if 'similarity' not in name)
        total.sum().backward()
    for one, other in zip(features, others, strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-3)
    for name, parameter in head.named_parameters():
        if name == 'norm.bias':  # frozen
            assert parameter.grad is None and not parameter.any()
            continue
        torch.testing.assert_close(
            parameter.grad, state[name].grad, atol=1e-5, rtol=1e-3, msg=name
        )


def test_the_confidence_is_trained():
    head = make_head()
    run(head, make_features())['loss_target'].backward()
    for name, parameter in head.confidence.named_parameters():
        assert parameter.grad.any(), name


def test_soft_labels_teach_the_target_branch_alone():
    head, features = make_head(), make_features()
    run(head, features)['loss_soft'].backward()
    assert features[0].grad.any() and head.fc.weight.grad.any()
    assert all(feats.grad is None or not feats.grad.any() for feats in features[1:])
    assert all(c.weight.grad is None for c in head.auxiliary)


def test_classifiers_start_small_and_without_bias():
    torch.manual_seed(0)
    head = DMUEHead(num_classes=C, in_channels=4000)
    for classifier in (head.fc, *head.auxiliary):
        assert classifier.bias is None
        assert classifier.weight.std().item() == pytest.approx(0.001, rel=0.05)
    assert [c.out_features for c in head.auxiliary] == [C - 1] * C


def test_only_the_target_branch_moves_the_running_statistics():
    head, features = make_head(), make_features()
    run(head, features)
    target = features[0].detach()
    torch.testing.assert_close(head.norm.running_mean, 0.1 * target.mean(0))
    torch.testing.assert_close(head.norm.running_var, 0.9 + 0.1 * target.var(0))
    assert head.norm.num_batches_tracked == 1


def test_soft_labels_are_asked_without_dropout():
    head, features = make_head(dropout=0.5), make_features()
    asked = []
    plain = head.classify_branches(features[1:]).detach()

    def soft_labels(logits, labels, temperature):
        asked.append(logits)
        return torch.zeros(N, C)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dmue, 'soft_labels', soft_labels)
        run(head, features)
    torch.testing.assert_close(asked[0], plain)


def test_one_sample_takes_the_running_statistics():
    head, features = make_head(), make_features(n=1)
    with torch.no_grad():
        head.norm.running_mean.uniform_(-1, 1)
        head.norm.running_var.uniform_(0.5, 2)
    statistics = head.norm.running_mean.clone(), head.norm.running_var.clone()
    state = {k: v.detach().clone() for k, v in head.named_parameters()}
    losses = run(head, features, [1])
    expected = oracle(make_features(n=1), state, 2, [1], statistics)
    for name, loss in losses.items():
        torch.testing.assert_close(loss.squeeze(), expected[name].squeeze(), msg=name)
    sum(losses.values()).backward()
    assert all(feats.grad.isfinite().all() for feats in features)
    torch.testing.assert_close(head.norm.running_mean, statistics[0])


def test_bfloat16_is_left_for_the_formulas():
    head, features = make_head(), make_features()
    with torch.autocast('cpu', torch.bfloat16):
        losses = run(head, features)
    exact = run(make_head(), make_features())
    for name, loss in losses.items():
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(exact[name].item(), rel=0.1), name
    sum(losses.values()).backward()
    assert all(feats.grad.isfinite().all() for feats in features)


def test_in_testing_it_is_a_linear_head_of_the_target_branch():
    head, features = make_head(epoch=None, dropout=0.5), make_features()
    with torch.no_grad():
        head.norm.running_mean.uniform_(-1, 1)
        head.norm.running_var.uniform_(0.5, 2)
    head.eval()
    norm = head.norm
    x = (features[0] - norm.running_mean) / (norm.running_var + 1e-5).sqrt()
    expected = (x * norm.weight) @ head.fc.weight.T
    head.auxiliary = head.confidence = None
    torch.testing.assert_close(head((features[0],)), expected)
    (predicted,) = head.predict((features[0][:1],))  # one image is enough
    torch.testing.assert_close(predicted.pred_score, expected[0].softmax(0))


def test_what_is_recorded_is_not_scaled():
    head, features = make_head(cal_acc=True), make_features()
    plain, taken = run(head, features), []
    head.recorder = lambda logits: taken.extend(logits)
    recorded = run(head, features)
    (logits,) = taken
    torch.testing.assert_close(logits, head((features[0],)))
    assert torch.equal(recorded['loss_target'], plain['loss_target'])
    highest, predicted = logits.max(1)
    # MMPretrain counts no prediction whose logit is below 0.
    right = ((predicted == torch.tensor(LABELS)) & (highest > 0)).float().mean() * 100
    assert recorded['accuracy_top-1'][0].item() == pytest.approx(right.item())
    score = head.score(features[0], torch.tensor(LABELS))
    expected = F.cross_entropy(score * logits, torch.tensor(LABELS))
    up = math.exp(-5 * (1 - 2 / TURN) ** 2)
    torch.testing.assert_close(recorded['loss_target'], up * expected)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r'Fix: model.head.turning_point=10'):
        make_head(turning_point=0)
    with pytest.raises(ValueError, match=r'temperature=0: allowed .*temperature=1.2'):
        make_head(temperature=0)
    with pytest.raises(ValueError, match='the epoch. Fix: default_hooks.epoch'):
        run(make_head(epoch=None), make_features())
    target, *branches = make_features()
    mixed = [DataSample().set_gt_score(torch.ones(C) / C)] * N
    with pytest.raises(ValueError, match=r'Fix: no model.train_cfg.augments'):
        make_head().loss((target,), mixed, branch_feats=branches)
