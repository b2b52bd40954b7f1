# EAC, ResNet-18, AffectNet, 7 classes, clean labels.
# The paper (Table 6, 7 classes, MS-Celeb-1M weights): 65.32 %.
# python tools/train.py configs/eac/resnet18_affectnet_clean.py
_base_ = [
    '../_base_/models/resnet18.py',
    '../_base_/datasets/affectnet.py',
    '../_base_/schedules/adam_60e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='EACClassifier',
    head=dict(type='EACHead', num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
