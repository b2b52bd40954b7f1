# lambda 5 at 0 and 10 % noise; the paper takes 10 at 20 and 30 % (Sec. 4.3).
_base_ = 'resnet18_eac.py'

model = dict(
    backbone=dict(_delete_=True, type='MobileNetV2', out_indices=(7,)),
    head=dict(in_channels=1280),
)
