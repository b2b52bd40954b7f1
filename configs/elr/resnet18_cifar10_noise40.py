# ELR, ResNet-18, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/elr/resnet18_cifar10_noise40.py
_base_ = '../baseline/resnet18_cifar10_noise40.py'

model = dict(
    head=dict(
        type='SampleLossHead',
        loss=dict(type='ELRLoss', num_classes=_base_.num_classes, beta=0.7, weight=3.0),
    )
)
