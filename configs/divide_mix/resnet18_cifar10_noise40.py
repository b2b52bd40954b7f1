# DivideMix, ResNet-18, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/divide_mix/resnet18_cifar10_noise40.py
_base_ = '../baseline/resnet18_cifar10_noise40.py'

model = dict(type='DivideMix', warm_up=5)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
