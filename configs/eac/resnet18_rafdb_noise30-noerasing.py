# EAC without erasing.
# The paper (Table 3, RAF-DB, MS-Celeb-1M weights): 76.26 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise30-noerasing.py
_base_ = 'resnet18_rafdb_noise30.py'

pair_pipeline = _base_.pair_pipeline
pair_pipeline[-2].update(prob=0)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
