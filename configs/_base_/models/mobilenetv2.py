# MobileNetV2. For EAC the paper takes lambda 5 at 0 and 10 % noise and 10 at 20 and
# 30 % (Sec. 4.3): model.head.consistency_weight.
_base_ = 'resnet18.py'

model = dict(
    backbone=dict(_delete_=True, type='MobileNetV2', out_indices=(7,)),
    head=dict(in_channels=1280),
)
