# KTN-style teacher, ResNet-18, RAF-DB, 30 % symmetric noise.
# The paper gives no figure for KTN with noisy labels.
# python tools/train.py configs/ktn/resnet18_rafdb_noise30-teacher.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(
    type='KTNTeacher',
    backbone=dict(out_indices=(2, 3)),
    head=dict(
        type='CoarseFineHead', loss=dict(type='AdaptiveClassLoss', num_classes=7)
    ),
)
