# EAC without erasing.
# Table 3 on FERPlus for small machines.
# python tools/train.py configs/eac/resnet18_ferplus_noise30-noerasing-small.py
_base_ = 'resnet18_ferplus_noise30-small.py'

pair_pipeline = _base_.pair_pipeline
pair_pipeline[-2].update(prob=0)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
