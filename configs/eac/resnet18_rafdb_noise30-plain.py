# EAC with all three switches off: no flip consistency, both views classified,
# nothing erased.
# The paper (Table 3, RAF-DB, MS-Celeb-1M weights): 75.50 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise30-plain.py
_base_ = 'resnet18_rafdb_noise30.py'

model = dict(head=dict(consistency_weight=0, imbalanced=False))
erase_pair = dict(_base_.erase_pair, prob=0)
pair_pipeline = [*_base_.load, _base_.seeding, erase_pair, _base_.pack]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
