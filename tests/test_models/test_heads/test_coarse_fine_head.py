import pytest
import torch
from mmpretrain.structures import DataSample

from eac_mm.datasets.faces.expressions import EXPRESSIONS
from eac_mm.models.heads import CoarseFineHead
from eac_mm.models.heads.coarse_fine_head import GROUPS

N, C = 3, 4
GROUPED = ((1,), (0, 2))
LABELS = [2, 1, 0]


def make_head(**kwargs):
    torch.manual_seed(0)
    return CoarseFineHead(
        **{**dict(num_classes=3, in_channels=C, groups=GROUPED), **kwargs}
    )


def make_feats():
    generator = torch.Generator().manual_seed(1)
    return tuple(
        torch.randn(N, C, generator=generator).requires_grad_() for _ in range(2)
    )


def samples_of(labels=LABELS):
    return [DataSample().set_gt_label(label) for label in labels]


def test_the_default_groups():
    named = [[EXPRESSIONS[c] for c in classes] for classes in GROUPS]
    assert named[:3] == [['surprise'], ['happy'], ['neutral']]
    assert named[3:] == [['fear', 'disgust', 'sad', 'angry']]


def test_merged_logits_by_hand():
    head = make_head()
    coarse = torch.tensor([[0.25, 0.75]]).log() + 5  # a shift of logits is none
    fine = torch.tensor([[1.0, 2.0, 3.0]])
    merged = head.merge(coarse, fine)
    group = torch.tensor([0.75, 0.25, 0.75]).log()
    torch.testing.assert_close(merged, fine + group)


def test_losses_and_gradients_are_those_of_the_equations():
    head, feats = make_head(), make_feats()
    losses = head.loss(feats, samples_of())
    assert list(losses) == ['loss_fine', 'loss_coarse']
    sum(losses.values()).backward()
    ours = [feat.grad for feat in feats]

    feats = make_feats()
    fine = coarse = 0
    for i, label in enumerate(LABELS):
        groups = head.coarse_fc(feats[0][i]).softmax(0)
        mine = 0 if label == 1 else 1
        chance = head.fc(feats[1][i]).exp() * groups[[1, 0, 1]]
        fine = fine - (chance[label] / chance.sum()).log() / N
        coarse = coarse - groups[mine].log() / N
    torch.testing.assert_close(losses['loss_fine'], fine)
    torch.testing.assert_close(losses['loss_coarse'], coarse)
    (fine + coarse).backward()
    for grad, feat in zip(ours, feats, strict=True):
        torch.testing.assert_close(grad, feat.grad)


def test_predictions_are_those_of_the_merged_logits():
    head, feats = make_head().eval(), make_feats()
    predicted = head.predict(feats)
    expected = head.merge(head.coarse_fc(feats[0]), head.fc(feats[1])).softmax(1)
    for sample, score in zip(predicted, expected, strict=True):
        torch.testing.assert_close(sample.pred_score, score)


def test_bfloat16_is_left_for_what_is_merged():
    head, feats = make_head(), make_feats()
    exact = head.loss(feats, samples_of())
    with torch.autocast('cpu', torch.bfloat16):
        losses = head.loss(feats, samples_of())
        assert head(feats).dtype == torch.float32
    for name, loss in losses.items():
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(exact[name].item(), rel=0.05)


@pytest.mark.parametrize('groups', [((0,), (1,)), ((0, 1), (1, 2)), ((0, 1, 2, 3),)])
def test_groups_that_are_refused(groups):
    with pytest.raises(ValueError, match=r'0 to 2 must stand in one group. Fix: '):
        make_head(groups=groups)


def test_mixed_labels_are_refused():
    samples = samples_of()
    for sample in samples:
        sample.set_gt_score(torch.full((3,), 1 / 3))
    with pytest.raises(ValueError, match=r'mix them. Fix: no model.train_cfg.augments'):
        make_head().loss(make_feats(), samples)
