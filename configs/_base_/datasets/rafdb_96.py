# RAF-DB at 96 px, for dlib's face network.
_base_ = 'rafdb.py'

load = [dict(type='LoadFace'), dict(type='Resize', scale=(96, 96))]
train_pipeline = [*load, *_base_.one_view]
pair_pipeline = [*load, *_base_.two_views]
test_pipeline = [*load, _base_.pack]

train_dataloader = dict(
    num_workers=1, dataset=dict(dataset=dict(pipeline=train_pipeline))
)
val_dataloader = dict(num_workers=1, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
