# EAC, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/eac/resnet18_syntheticfer_noise30.py
# Takes about 5 minutes on one core of an AMD EPYC (AVX2, float32).
# Measured results: README.md.
_base_ = [
    '../_base_/models/resnet18w16.py',
    '../_base_/datasets/syntheticfer.py',
    '../_base_/schedules/adam_20e_synthetic.py',
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
