# mixup, ResNet-18, CIFAR-100, 30 % symmetric noise, from scratch.
# python tools/train.py configs/mixup/resnet18_cifar100_noise30.py
_base_ = '../baseline/resnet18_cifar100_noise30.py'

model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
data_preprocessor = dict(num_classes=_base_.num_classes)
