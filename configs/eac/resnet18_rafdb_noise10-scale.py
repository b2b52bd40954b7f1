# EAC under scaling instead of the flip, 10 % symmetric noise.
# The paper (Table 4, RAF-DB, MS-Celeb-1M weights): 85.98 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise10-scale.py
# The paper gives no range. Ours: factors log-uniform in [0.8, 1.25].
_base_ = 'resnet18_rafdb_noise10.py'

pair_pipeline = [
    *_base_.load,
    _base_.seeding,
    _base_.erase,
    dict(type='AffinePair', scale=(0.8, 1.25)),
    dict(type='PackInputs', algorithm_keys=('view_affine',)),
]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
