# mixup, ResNet-18, RAF-DB, 30 % symmetric noise.
# python tools/train.py configs/mixup/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
data_preprocessor = dict(num_classes=_base_.num_classes)
