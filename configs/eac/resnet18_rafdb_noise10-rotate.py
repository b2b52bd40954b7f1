# EAC under rotation instead of the flip, 10 % symmetric noise.
# The paper (Table 4, RAF-DB, MS-Celeb-1M weights): 80.93 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise10-rotate.py
# The paper gives no range. Ours: angles uniform in [-30, 30] degrees.
_base_ = 'resnet18_rafdb_noise10.py'

pair_pipeline = [
    *_base_.load,
    _base_.seeding,
    _base_.erase,
    dict(type='AffinePair', angle=30),
    dict(type='PackInputs', algorithm_keys=('view_affine',)),
]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
