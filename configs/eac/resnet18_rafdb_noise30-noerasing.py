# EAC without erasing.
# The paper (Table 3, RAF-DB, MS-Celeb-1M weights): 76.26 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise30-noerasing.py
_base_ = 'resnet18_rafdb_noise30.py'

erase_pair = dict(_base_.erase_pair, prob=0)
pair_pipeline = [*_base_.load, _base_.seeding, erase_pair, _base_.pack]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
