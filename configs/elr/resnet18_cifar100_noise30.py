# ELR, ResNet-18, CIFAR-100, 30 % symmetric noise, from scratch.
# python tools/train.py configs/elr/resnet18_cifar100_noise30.py
_base_ = '../baseline/resnet18_cifar100_noise30.py'

model = dict(
    head=dict(
        type='SampleLossHead',
        loss=dict(type='ELRLoss', num_classes=_base_.num_classes, beta=0.9, weight=7.0),
    )
)
