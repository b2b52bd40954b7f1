# 3,000 of the built-in drawn faces at 48 px; no file is read.
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

faces = dict(type='SyntheticFER', img_size=48)

train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    dataset=dict(
        dataset=dict(**faces, split='train', size=3000, pipeline=train_pipeline)
    ),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=1,
    dataset=dict(**faces, split='val', size=1000, pipeline=test_pipeline),
)
test_dataloader = dict(
    batch_size=256,
    num_workers=1,
    dataset=dict(**faces, split='test', size=1000, pipeline=test_pipeline),
)
