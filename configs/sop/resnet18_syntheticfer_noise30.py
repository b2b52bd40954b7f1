# SOP+, ResNet-18, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/sop/resnet18_syntheticfer_noise30.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

model = dict(
    type='EACClassifier',
    head=dict(
        type='EACHead',
        consistency_weight=0,
        imbalanced=False,
        loss=dict(
            type='SOPLoss',
            num_classes=_base_.num_classes,
            start=1e-2,
            balance=0.1,
            consistency=0.9,
        ),
    ),
)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
