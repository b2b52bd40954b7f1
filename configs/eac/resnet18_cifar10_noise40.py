# EAC, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/eac/resnet18_cifar10_noise40.py
_base_ = '../baseline/resnet18_cifar10_noise40.py'

model = dict(type='EACClassifier', head=dict(type='EACHead'))
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
default_hooks = dict(ramp=dict(type='ConsistencyRampHook', epochs=10))
