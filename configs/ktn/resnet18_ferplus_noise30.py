# KTN-style student, ResNet-18, FERPlus, 30 % symmetric noise.
# The paper gives no figure for KTN with noisy labels.
# Train its teacher first: configs/ktn/resnet18_ferplus_noise30-teacher.py
# python tools/train.py configs/ktn/resnet18_ferplus_noise30.py
_base_ = 'resnet18_ferplus_noise30-teacher.py'

model = dict(
    type='KTNStudent',
    backbone=dict(out_indices=(3,)),
    head=dict(type='LinearClsHead'),
    teacher=_base_.model,
    teacher_weights='work_dirs/ktn/resnet18_ferplus_noise30-teacher/epoch_60.pth',
)
