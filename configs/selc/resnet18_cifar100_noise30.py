# SELC, ResNet-18, CIFAR-100, 30 % symmetric noise, from scratch.
# python tools/train.py configs/selc/resnet18_cifar100_noise30.py
_base_ = '../baseline/resnet18_cifar100_noise30.py'

model = dict(
    head=dict(
        type='SampleLossHead',
        loss=dict(type='SELCLoss', num_classes=_base_.num_classes, warm_up=20),
    )
)
