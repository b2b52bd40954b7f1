# The built-in drawn faces, 64 px; no file is read.
_base_ = 'faces_224.py'

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='Erasing'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
pair_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='ErasingFlipPair', erasing='shared'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    dataset=dict(
        dataset=dict(type='SyntheticFER', split='train', pipeline=train_pipeline)
    ),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=1,
    dataset=dict(type='SyntheticFER', split='val', pipeline=test_pipeline),
)
test_dataloader = dict(
    batch_size=256,
    num_workers=1,
    dataset=dict(type='SyntheticFER', split='test', pipeline=test_pipeline),
)
