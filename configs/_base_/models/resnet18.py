# ResNet-18 with a linear classifier, for images of 224 px. A recipe adds the number
# of classes, and EAC its classifier and head. The classifier starts from nn.Linear's
# own initialisation (init_cfg=None), as EAC's does, so that the baseline differs from
# it in the method only.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=18, num_stages=4, out_indices=(3,)),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=512, init_cfg=None),
)
