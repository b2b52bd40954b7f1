# Baseline, ResNet-18, FERPlus, clean labels.
# The paper gives no figure for the baseline with clean labels.
# python tools/train.py configs/baseline/resnet18_ferplus_clean.py
_base_ = [
    '../_base_/models/resnet18.py',
    '../_base_/datasets/ferplus.py',
    '../_base_/schedules/adam_60e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=_base_.num_classes))
