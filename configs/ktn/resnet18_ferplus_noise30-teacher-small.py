# KTN-style teacher, FERPlus (10,000 images at 48 px), 30 % noise, from scratch.
# python tools/train.py configs/ktn/resnet18_ferplus_noise30-teacher-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

model = dict(
    type='KTNTeacher',
    backbone=dict(out_indices=(2, 3)),
    head=dict(
        type='CoarseFineHead', loss=dict(type='AdaptiveClassLoss', num_classes=7)
    ),
)
