# DivideMix, ResNet-18, RAF-DB, 30 % symmetric noise.
# python tools/train.py configs/divide_mix/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(type='DivideMix', warm_up=5)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
