# EAC with all three switches off: no flip consistency, both views classified,
# nothing erased.
# Table 3 on FERPlus for small machines.
# python tools/train.py configs/eac/resnet18_ferplus_noise30-plain-small.py
_base_ = 'resnet18_ferplus_noise30-small.py'

model = dict(head=dict(consistency_weight=0, imbalanced=False))
pair_pipeline = _base_.pair_pipeline
pair_pipeline[-2].update(prob=0)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
