# EAC, ResNet-18, Tiny-ImageNet, 10 % symmetric noise, from scratch.
# The paper (Table 5; settings not published): top-1 70.22 %, top-5 90.23 %.
# python tools/train.py configs/eac/resnet18_tinyimagenet_noise10.py
_base_ = [
    '../_base_/models/resnet18_cifar.py',
    '../_base_/datasets/tiny_imagenet.py',
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
