# KTN-style teacher, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/ktn/resnet18_syntheticfer_noise30-teacher.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

model = dict(
    type='KTNTeacher',
    backbone=dict(out_indices=(2, 3)),
    head=dict(
        type='CoarseFineHead', loss=dict(type='AdaptiveClassLoss', num_classes=7)
    ),
)
