# Baseline on the built-in drawn faces, 30 % symmetric noise, from scratch on two cores.
# python tools/train.py configs/baseline/resnet18_syntheticfer_noise30.py
_base_ = [
    '../_base_/models/resnet18w16_baseline.py',
    '../_base_/datasets/syntheticfer.py',
    '../_base_/schedules/adam_24e_drawn.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(dataset=dict(rate=0.3))
