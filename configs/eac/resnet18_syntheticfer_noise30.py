# EAC on the built-in drawn faces, 30 % symmetric noise, from scratch on two cores.
# python tools/train.py configs/eac/resnet18_syntheticfer_noise30.py
_base_ = [
    '../_base_/models/resnet18w16_eac.py',
    '../_base_/datasets/syntheticfer.py',
    '../_base_/schedules/adam_24e_drawn.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    dataset=dict(rate=0.3, dataset=dict(pipeline=_base_.pair_pipeline))
)
default_hooks = dict(ramp=dict(type='ConsistencyRampHook', epochs=16))
