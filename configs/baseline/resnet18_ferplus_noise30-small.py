# Baseline on real faces at 48 px, 30 % symmetric noise, from scratch on two cores.
# python tools/train.py configs/baseline/resnet18_ferplus_noise30-small.py
_base_ = [
    '../_base_/models/resnet18w16_baseline.py',
    '../_base_/datasets/ferplus_48.py',
    '../_base_/schedules/adam_20e_small.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(dataset=dict(rate=0.3))
