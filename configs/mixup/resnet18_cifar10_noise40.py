# mixup, ResNet-18, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/mixup/resnet18_cifar10_noise40.py
_base_ = '../baseline/resnet18_cifar10_noise40.py'

model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
data_preprocessor = dict(num_classes=_base_.num_classes)
