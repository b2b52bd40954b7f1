# DivideMix, ResNet-18, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/divide_mix/resnet18_syntheticfer_noise30.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

model = dict(type='DivideMix', warm_up=5)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
