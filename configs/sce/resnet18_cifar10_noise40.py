# SCE, ResNet-18, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/sce/resnet18_cifar10_noise40.py
_base_ = '../baseline/resnet18_cifar10_noise40.py'

model = dict(head=dict(loss=dict(type='SCELoss', alpha=0.1, beta=1.0)))
