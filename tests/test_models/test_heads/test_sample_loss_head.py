import pytest
import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample

from eac_mm.models.heads import SampleLossHead


def samples_of(*labels):
    return [
        DataSample(metainfo=dict(sample_idx=i)).set_gt_label(label)
        for i, label in enumerate(labels)
    ]


def test_the_loss_is_told_the_samples():
    head = SampleLossHead(3, 4, loss=dict(type='ELRLoss', num_classes=3))
    head.loss_module.bank.resize(5)
    seen = []
    head.loss_module.register_forward_pre_hook(
        lambda _, args, words: seen.append(words['samples']), with_kwargs=True
    )
    samples = samples_of(2, 0)
    losses = head.loss((torch.ones(2, 4),), samples)
    assert seen == [samples]
    assert list(losses) == ['loss']
    assert head.loss_module.bank.values.any(1).tolist() == [True, True, *[False] * 3]


def test_with_another_loss_it_is_the_linear_head():
    torch.manual_seed(0)
    ours = SampleLossHead(3, 4)
    torch.manual_seed(0)
    plain = LinearClsHead(3, 4, init_cfg=None)
    feats, samples = (torch.randn(2, 4),), samples_of(2, 0)
    assert torch.equal(
        ours.loss(feats, samples)['loss'], plain.loss(feats, samples)['loss']
    )


def test_a_linear_head_does_not_tell_them():
    head = LinearClsHead(3, 4, loss=dict(type='ELRLoss', num_classes=3))
    with pytest.raises(ValueError, match=r"Fix: model.head.type='SampleLossHead'"):
        head.loss((torch.ones(2, 4),), samples_of(2, 0))
