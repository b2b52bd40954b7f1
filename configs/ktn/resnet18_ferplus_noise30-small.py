# KTN-style student, FERPlus (10,000 images at 48 px), 30 % noise, from scratch.
# Train its teacher first: configs/ktn/resnet18_ferplus_noise30-teacher-small.py
# python tools/train.py configs/ktn/resnet18_ferplus_noise30-small.py
_base_ = 'resnet18_ferplus_noise30-teacher-small.py'

model = dict(
    type='KTNStudent',
    backbone=dict(out_indices=(3,)),
    head=dict(type='LinearClsHead'),
    teacher=_base_.model,
    teacher_weights='work_dirs/ktn/resnet18_ferplus_noise30-teacher-small/epoch_30.pth',
)
