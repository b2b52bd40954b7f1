# SyntheticFER: 3,000 built-in synthetic faces at 48 px; no file is read.
_base_ = 'faces_224.py'

load = [dict(type='Resize', scale=(48, 48))]
train_pipeline = [*load, *_base_.one_view]
pair_pipeline = [*load, *_base_.two_views]
test_pipeline = [*load, _base_.pack]

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
