# EAC without the flip consistency: cross-entropy on view 1 alone.
# Table 3 on FERPlus for small machines.
# python tools/train.py configs/eac/resnet18_ferplus_noise30-noconsistency-small.py
_base_ = 'resnet18_ferplus_noise30-small.py'

model = dict(head=dict(consistency_weight=0))
