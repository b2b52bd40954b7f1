# Baseline, ResNet-18, AffectNet, 7 classes, clean labels.
# The paper gives no figure for the baseline with clean labels.
# python tools/train.py configs/baseline/resnet18_affectnet_clean.py
_base_ = [
    '../_base_/models/resnet18.py',
    '../_base_/datasets/affectnet.py',
    '../_base_/schedules/adam_60e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=_base_.num_classes))
