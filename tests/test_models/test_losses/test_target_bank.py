"""What the losses with a bank share; their values are in the tests of each."""

from pathlib import Path

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from ranks import in_two_processes
from short_training import At, Killed, assert_same, kill, train

from eac_mm.models import EACHead

CONFIGS = Path(__file__).parents[3] / 'configs'
LOSSES = {
    'elr': dict(type='ELRLoss', num_classes=3),
    'selc': dict(type='SELCLoss', num_classes=3, warm_up=0),
    'sop': dict(type='SOPLoss', num_classes=3, lr_u=1.0, lr_v=10.0, start=0.1),
}


def samples_of(*indices):
    return [
        DataSample(metainfo=dict(sample_idx=i)).set_gt_label(i % 3) for i in indices
    ]


def make_loss(name, size=4):
    loss = MODELS.build(LOSSES[name])
    loss.bank.resize(size)
    return loss


@pytest.mark.parametrize('name', LOSSES)
def test_mistakes(name):
    logits, labels = torch.zeros(2, 3), torch.tensor([0, 1])
    with pytest.raises(ValueError, match='is not told .* Fix: .*SampleLossHead'):
        make_loss(name)(logits, labels)
    with pytest.raises(ValueError, match='a mix of two is no sample. Fix: no batch'):
        make_loss(name)(logits, logits.softmax(1), samples=samples_of(0, 1))


@pytest.mark.parametrize('name', LOSSES)
def test_the_consistency_of_eac_combines_with_it(name):
    torch.manual_seed(0)
    head = EACHead(num_classes=3, in_channels=5, loss=LOSSES[name])
    head.loss_module.bank.resize(4)
    other = make_loss(name)
    plain = EACHead(num_classes=3, in_channels=5)
    plain.load_state_dict(head.fc.state_dict(prefix='fc.'))
    maps = torch.randn(2, 2, 5, 3, 3)
    feats, samples = tuple(maps.mean((-1, -2))), samples_of(3, 1)
    found = head.loss(feats, samples, feature_maps=tuple(maps))
    expected = plain.loss(feats, samples, feature_maps=tuple(maps))
    assert torch.equal(found['loss_consistency'], expected['loss_consistency'])
    logits = plain((feats[0],))
    assert torch.equal(
        found['loss_cls'], other(logits, torch.tensor([0, 1]), samples=samples)
    )
    assert torch.equal(head.loss_module.bank.values, other.bank.values)
    assert other.bank.values[[1, 3]].any(1).all()


def step_on_rank(rank, name):
    loss = make_loss(name)
    logits = torch.arange(6.0).view(2, 3).sin() * (rank + 1)
    indices = [(0, 1), (3, 1)][rank]  # sample 1 is padding on rank 1
    labels = torch.tensor([i % 3 for i in indices])
    loss(logits.requires_grad_(), labels, samples=samples_of(*indices))
    alone = loss.bank.values.clone()
    return alone.tolist()


@pytest.mark.parametrize('name', LOSSES)
def test_two_processes_keep_one_bank(name):
    one, other = in_two_processes(step_on_rank, name)
    assert one == other
    # Each row is what its process alone would have written; of two, the last rank's.
    for rank, rows in ((0, [0]), (1, [3, 1])):
        alone = step_on_rank(rank, name)
        for row in rows:
            assert one[row] == alone[row]
    assert one[2] == make_loss(name).bank.values[2].tolist()


@pytest.mark.parametrize('name', LOSSES)
def test_it_resumes_exactly(name, tmp_path):
    recipe = CONFIGS / name / 'resnet18_syntheticfer_noise30.py'
    options = {'model.head.loss.warm_up': 1} if name == 'selc' else {}
    whole = train(recipe, tmp_path / 'whole', **options)
    rows = whole.model.head.loss_module.bank.values
    assert len(rows) == 24 and (rows != rows[0]).any()
    with pytest.raises(Killed):
        train(recipe, tmp_path / 'killed', At(4, kill), **options)
    resumed = train(recipe, tmp_path / 'killed', resume='epoch_1.pth', **options)
    assert resumed.iter == 6
    assert_same(resumed, whole)
