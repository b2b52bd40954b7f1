# SELC, ResNet-18, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from scratch.
# python tools/train.py configs/selc/resnet18_ferplus_noise30-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

model = dict(
    head=dict(
        type='SampleLossHead',
        loss=dict(type='SELCLoss', num_classes=_base_.num_classes, warm_up=5),
    )
)
