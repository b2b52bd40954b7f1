# FERPlus at its own 48 px, for small machines: the first 10,000 training images,
# measured on the validation split.
_base_ = 'ferplus.py'

load = [dict(type='LoadFace'), dict(type='Resize', scale=(48, 48))]
train_pipeline = [*load, *_base_.one_view]
pair_pipeline = [*load, *_base_.two_views]
test_pipeline = [*load, _base_.pack]

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    dataset=dict(dataset=dict(indices=10000, pipeline=train_pipeline)),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=1,
    dataset=dict(split='val', pipeline=test_pipeline),
)
test_dataloader = val_dataloader
