import math

import pytest
import torch

from eac_mm.models.losses import dmue

LABELS = torch.tensor([0, 2, 1, 2])


def test_ramps_by_hand():
    # exp(-5 (1 - e/a)^2), then 1; 1, then exp(-(1 - a/e)^2)
    up = [dmue.ramp_up(e, 10) for e in (0, 5, 9, 10, 11, 60)]
    expected = [math.exp(-5), math.exp(-1.25), math.exp(-0.05), 1, 1, 1]
    assert up == pytest.approx(expected)
    down = [dmue.ramp_down(e, 10) for e in (0, 9, 10, 20, 40)]
    expected = [1, 1, 1, math.exp(-0.25), math.exp(-0.5625)]
    assert down == pytest.approx(expected)
    assert dmue.ramp_down(10**9, 10) == pytest.approx(math.exp(-1))


def test_branches_learn_from_all_classes_but_one():
    expected = [[0, 1, 1, 1], [1, 1, 0, 1], [1, 0, 1, 0]]
    assert dmue.others(LABELS, 3).tolist() == expected


def test_the_auxiliary_loss_by_hand():
    # Branch i of three tells two classes apart; the logits are log odds of the first.
    logits = torch.zeros(3, 4, 2)
    logits[0, :, 0] = math.log(3)  # says class 1 with 3/4, class 2 with 1/4
    logits[1, :, 0] = math.log(4)  # says class 0 with 4/5, class 2 with 1/5
    logits[2, :, 0] = math.log(9)  # says class 0 with 9/10, class 1 with 1/10
    branches = [
        -(math.log(1 / 4) + math.log(3 / 4) + math.log(1 / 4)) / 3,  # labels 2, 1, 2
        -(math.log(4 / 5) + math.log(1 / 5) + math.log(1 / 5)) / 3,  # 0, 2, 2
        -(math.log(9 / 10) + math.log(1 / 10)) / 2,  # 0, 1
    ]
    loss = dmue.auxiliary_loss(logits, LABELS)
    assert loss.item() == pytest.approx(sum(branches) / 3)
    # Samples of class 2 alone: branch 2 has none, and is left out of the mean.
    alone = dmue.auxiliary_loss(logits, torch.tensor([2, 2, 2, 2]))
    assert alone.item() == pytest.approx(-(math.log(1 / 4) + math.log(1 / 5)) / 2)


def test_soft_labels_by_hand():
    logits = torch.zeros(3, 4, 2)
    logits[0, 0] = torch.tensor([math.log(4), 0])  # sample 0, of class 0
    logits[1, 2] = torch.tensor([0, math.log(9)])  # sample 2, of class 1
    logits[2, 3] = torch.tensor([math.log(16), 0])  # sample 3, of class 2
    soft = dmue.soft_labels(logits, LABELS, temperature=2)
    # The square roots of the odds 4:1, 1:9 and 16:1
    expected = [[0, 2 / 3, 1 / 3], [0.5, 0.5, 0], [0.25, 0, 0.75], [0.8, 0.2, 0]]
    torch.testing.assert_close(soft, torch.tensor(expected))


def test_temperature_flattens_as_powers_do():
    logits = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0))
    soft = dmue.soft_labels(logits, LABELS, temperature=1.2)
    for i, label in enumerate(LABELS.tolist()):
        power = logits[label, i].softmax(0) ** (1 / 1.2)
        rest = [c for c in range(3) if c != label]
        torch.testing.assert_close(soft[i, rest], power / power.sum())


def test_the_soft_loss_by_hand():
    logits = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]).log()
    soft = torch.tensor([[0, 0.4, 0.6], [0.5, 0.5, 0]])
    loss = dmue.soft_loss(logits, soft, torch.tensor([0, 2]))
    # Of six numbers, those of the own classes count 0.
    assert loss.item() == pytest.approx((0.01 + 0.16 + 0.16 + 0.09) / 6)


def similarity_oracle(logits, features, labels):
    """Cut out each branch's samples, as the equations have it."""
    found = []
    for branch in range(len(logits)):
        rows = [i for i, label in enumerate(labels.tolist()) if label != branch]
        if not rows:
            continue
        total = 0
        for i in rows:
            theirs = torch.stack([logits[branch, i] @ logits[branch, j] for j in rows])
            ours = torch.stack([features[i] @ features[j] for j in rows])
            total = total + ((theirs / theirs.norm() - ours / ours.norm()) ** 2).sum()
        found.append(total / len(rows) ** 2)
    return sum(found) / len(found)


@pytest.mark.parametrize('labels', [[0, 2, 1, 2], [2, 2, 2, 2], [0, 0, 0, 1]])
def test_the_similarity_loss_is_that_of_each_branchs_samples(labels):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 2, generator=generator)
    features = torch.randn(4, 5, generator=generator)
    ours = [x.clone().requires_grad_() for x in (logits, features)]
    theirs = [x.clone().requires_grad_() for x in (logits, features)]
    loss = dmue.similarity_loss(*ours, torch.tensor(labels))
    expected = similarity_oracle(*theirs, torch.tensor(labels))
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_class_similarity_by_hand():
    features = torch.tensor([[2.0, 0.0], [0.0, 3.0], [3.0, 4.0], [0.0, -1.0]])
    # Cosines of sample 0: 1, 0, 0.6, 0. Classes 0: {0}, 1: {2}, 2: {1, 3}, 3: none
    # means 1, 0.6, 0, scaled to 1, 0.6, 0
    # Sample 1: 0, 1, 0.8, -1; means 0, 0.8, 0; scaled 0, 1, 0
    # Sample 2: 0.6, 0.8, 1, -0.8; means 0.6, 1, 0; scaled 0.6, 1, 0
    # Sample 3: 0, -1, -0.8, 1; means 0, -0.8, 0; scaled 1, 0, 1
    expected = [[1, 0.6, 0, 0], [0, 1, 0, 0], [0.6, 1, 0, 0], [1, 0, 1, 0]]
    found = dmue.class_similarity(features, LABELS, num_classes=4)
    torch.testing.assert_close(found, torch.tensor(expected))


def test_a_class_that_is_alone_has_no_similarity():
    features = torch.ones(2, 3, requires_grad=True)
    found = dmue.class_similarity(features, torch.tensor([1, 1]), num_classes=3)
    assert found.tolist() == [[0] * 3] * 2
    found.sum().backward()
    assert features.grad.isfinite().all()


@pytest.mark.parametrize('labels', [[1], [1, 1], [0, 1, 2, 0]])
def test_equal_samples_and_groups_of_one_give_finite_gradients(labels):
    labels = torch.tensor(labels)
    logits = torch.zeros(3, len(labels), 2, requires_grad=True)
    features = torch.zeros(len(labels), 5, requires_grad=True)
    loss = dmue.similarity_loss(logits, features, labels)
    loss = loss + dmue.auxiliary_loss(logits, labels)
    loss = loss + dmue.class_similarity(features, labels, 3).sum()
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all() and features.grad.isfinite().all()
