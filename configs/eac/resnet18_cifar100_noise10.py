# EAC, ResNet-18, CIFAR-100, 10 % symmetric noise, from scratch.
# The paper (Table 5; settings not published): top-1 70.93 %, top-5 90.15 %.
# python tools/train.py configs/eac/resnet18_cifar100_noise10.py
_base_ = [
    '../_base_/models/resnet18_cifar.py',
    '../_base_/datasets/cifar100.py',
    '../_base_/schedules/sgd_100e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='EACClassifier',
    head=dict(type='EACHead', num_classes=_base_.num_classes),
)
train_dataloader = dict(
    dataset=dict(rate=0.1, dataset=dict(pipeline=_base_.pair_pipeline))
)
default_hooks = dict(ramp=dict(type='ConsistencyRampHook', epochs=10))
