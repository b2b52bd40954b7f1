# KTN-style student, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# Train its teacher first: configs/ktn/resnet18_syntheticfer_noise30-teacher.py
# python tools/train.py configs/ktn/resnet18_syntheticfer_noise30.py
_base_ = 'resnet18_syntheticfer_noise30-teacher.py'

model = dict(
    type='KTNStudent',
    backbone=dict(out_indices=(3,)),
    head=dict(type='LinearClsHead'),
    teacher=_base_.model,
    teacher_weights='work_dirs/ktn/resnet18_syntheticfer_noise30-teacher/epoch_20.pth',
)
