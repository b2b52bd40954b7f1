# EAC, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from scratch.
# python tools/train.py configs/eac/resnet18_ferplus_noise30-small.py
# Takes about 14 minutes on one core of an AMD EPYC (avx512_bf16).
# Measured results: docs/results/table1-small.md.
_base_ = [
    '../_base_/models/resnet18w16_cifar.py',
    '../_base_/datasets/ferplus_48.py',
    '../_base_/schedules/adam_30e_small.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='EACClassifier',
    head=dict(type='EACHead', num_classes=_base_.num_classes),
)
train_dataloader = dict(
    dataset=dict(rate=0.3, dataset=dict(pipeline=_base_.pair_pipeline))
)
default_hooks = dict(ramp=dict(type='ConsistencyRampHook', epochs=10))
