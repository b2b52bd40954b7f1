# FERPlus at 96 px, at which its faces are about as large as dlib's network knows
# them: the first 5,000 training images, measured on the validation split.
_base_ = 'ferplus.py'

load = [dict(type='LoadFace'), dict(type='Resize', scale=(96, 96))]
train_pipeline = [*load, *_base_.one_view]
pair_pipeline = [*load, *_base_.two_views]
test_pipeline = [*load, _base_.pack]

train_dataloader = dict(
    num_workers=1,
    dataset=dict(dataset=dict(indices=5000, pipeline=train_pipeline)),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=1,
    dataset=dict(split='val', pipeline=test_pipeline),
)
test_dataloader = val_dataloader
