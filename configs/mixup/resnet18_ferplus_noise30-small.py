# mixup, ResNet-18, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from
# scratch.
# python tools/train.py configs/mixup/resnet18_ferplus_noise30-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
data_preprocessor = dict(num_classes=_base_.num_classes)
