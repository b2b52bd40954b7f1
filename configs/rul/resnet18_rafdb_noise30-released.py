# RUL as its released code trains it: batch and augmentation.
# python tools/train.py configs/rul/resnet18_rafdb_noise30-released.py
_base_ = 'resnet18_rafdb_noise30.py'

one_of_two = dict(
    type='RandomChoice',
    transforms=[[dict(_base_.flip, prob=1.0)], [dict(type='GaussianNoise')]],
)
augment = dict(type='RandomApply', prob=0.5, transforms=one_of_two)
train_pipeline = [*_base_.load, _base_.seeding, augment, _base_.erase, _base_.pack]
train_dataloader = dict(
    batch_size=64, dataset=dict(dataset=dict(pipeline=train_pipeline))
)
auto_scale_lr = dict(base_batch_size=64)
