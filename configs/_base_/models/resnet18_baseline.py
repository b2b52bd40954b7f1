# Cross-entropy alone. The head starts from nn.Linear's own initialisation
# (init_cfg=None), as EAC's does, so that the two differ in the method only.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=18, num_stages=4, out_indices=(3,)),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=7, in_channels=512, init_cfg=None),
    data_preprocessor=dict(
        type='EACDataPreprocessor',
        mean=[123.675, 116.28, 103.53],  # ImageNet, RGB
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
)
