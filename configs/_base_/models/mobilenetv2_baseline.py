_base_ = 'resnet18_baseline.py'

model = dict(
    backbone=dict(_delete_=True, type='MobileNetV2', out_indices=(7,)),
    head=dict(in_channels=1280),
)
