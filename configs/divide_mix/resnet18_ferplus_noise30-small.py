# DivideMix, ResNet-18, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from
# scratch.
# python tools/train.py configs/divide_mix/resnet18_ferplus_noise30-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

model = dict(type='DivideMix', warm_up=5)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
