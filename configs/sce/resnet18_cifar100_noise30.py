# SCE, ResNet-18, CIFAR-100, 30 % symmetric noise, from scratch.
# python tools/train.py configs/sce/resnet18_cifar100_noise30.py
_base_ = '../baseline/resnet18_cifar100_noise30.py'

model = dict(head=dict(loss=dict(type='SCELoss', alpha=6.0, beta=0.1)))
