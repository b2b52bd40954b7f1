# SELC, ResNet-18, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/selc/resnet18_syntheticfer_noise30.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

model = dict(
    head=dict(
        type='SampleLossHead',
        loss=dict(type='SELCLoss', num_classes=_base_.num_classes, warm_up=5),
    )
)
