# DivideMix, ResNet-18, CIFAR-100, 30 % symmetric noise, from scratch.
# python tools/train.py configs/divide_mix/resnet18_cifar100_noise30.py
_base_ = '../baseline/resnet18_cifar100_noise30.py'

model = dict(type='DivideMix', warm_up=15)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
