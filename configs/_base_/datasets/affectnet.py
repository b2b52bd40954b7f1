# AffectNet, seven expressions: 283,901 training and 3,500 validation images, in
# either official layout. Training samples all classes equally often; validation has
# 500 images of each. EAC's authors say that they balanced the classes and
# pre-processed the faces, but released neither: both are our own here. Images are
# used whole; to crop those of the csv layout to their face boxes, set crop=True and
# put dict(type='CropFace') right after LoadFace.
_base_ = 'faces_224.py'

train_dataloader = dict(
    sampler=dict(_delete_=True, type='ClassBalancedSampler'),
    dataset=dict(
        dataset=dict(type='AffectNet', data_root='data/affectnet', split='train')
    ),
)
val_dataloader = dict(
    dataset=dict(type='AffectNet', data_root='data/affectnet', split='val')
)
test_dataloader = val_dataloader
