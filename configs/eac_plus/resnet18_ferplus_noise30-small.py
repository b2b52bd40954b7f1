# EAC-plus, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from scratch.
# python tools/train.py configs/eac_plus/resnet18_ferplus_noise30-small.py
# Measured results: docs/results/table1-small.md.
_base_ = '../eac/resnet18_ferplus_noise30-small.py'

# 1.3 passes a sample instead of 2, in 46 epochs instead of 30: as many passes. The
# learning rate ends as low as EAC's.
model = dict(head=dict(paired=0.3))
param_scheduler = dict(gamma=0.947)
train_cfg = dict(max_epochs=46, dynamic_intervals=[(42, 1)])
