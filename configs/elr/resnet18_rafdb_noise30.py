# ELR, ResNet-18, RAF-DB, 30 % symmetric noise.
# python tools/train.py configs/elr/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(
    head=dict(
        type='SampleLossHead',
        loss=dict(type='ELRLoss', num_classes=_base_.num_classes, beta=0.7, weight=3.0),
    )
)
