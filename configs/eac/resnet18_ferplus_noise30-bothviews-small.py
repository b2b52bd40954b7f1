# EAC without the imbalanced framework: both views are classified.
# Table 3 with FERPlus at 48 px; measured: docs/results/table3-small.md.
# python tools/train.py configs/eac/resnet18_ferplus_noise30-bothviews-small.py
_base_ = 'resnet18_ferplus_noise30-small.py'

model = dict(head=dict(imbalanced=False))
