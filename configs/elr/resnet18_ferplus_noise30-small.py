# ELR, ResNet-18, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from scratch.
# python tools/train.py configs/elr/resnet18_ferplus_noise30-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

model = dict(
    head=dict(
        type='SampleLossHead',
        loss=dict(type='ELRLoss', num_classes=_base_.num_classes, beta=0.7, weight=3.0),
    )
)
