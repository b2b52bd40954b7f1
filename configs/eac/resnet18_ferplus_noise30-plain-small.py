# EAC with all three switches off: no flip consistency, both views classified,
# nothing erased.
# Table 3 with FERPlus at 48 px; measured: docs/results/table3-small.md.
# python tools/train.py configs/eac/resnet18_ferplus_noise30-plain-small.py
_base_ = 'resnet18_ferplus_noise30-small.py'

model = dict(head=dict(consistency_weight=0, imbalanced=False))
erase_pair = dict(_base_.erase_pair, prob=0)
pair_pipeline = [*_base_.load, _base_.seeding, erase_pair, _base_.pack]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
