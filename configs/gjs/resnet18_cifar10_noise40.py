# GJS, ResNet-18, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/gjs/resnet18_cifar10_noise40.py
_base_ = '../baseline/resnet18_cifar10_noise40.py'

model = dict(
    type='EACClassifier',
    head=dict(
        type='EACHead',
        consistency_weight=0,
        imbalanced=False,
        loss=dict(type='GJSLoss', label_weight=0.1),
    ),
)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
