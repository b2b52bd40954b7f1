# FERPlus at its own 48 px, for small machines: the first 10,000 training images,
# measured on the validation split.
_base_ = 'ferplus.py'

train_pipeline = [
    dict(type='LoadFace'),
    dict(type='SeedAugmentation'),
    dict(type='Erasing'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
pair_pipeline = [
    dict(type='LoadFace'),
    dict(type='SeedAugmentation'),
    dict(type='ErasingFlipPair', erasing='shared'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='LoadFace'), dict(type='PackInputs')]

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
