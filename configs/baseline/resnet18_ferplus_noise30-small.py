# Baseline, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from scratch.
# python tools/train.py configs/baseline/resnet18_ferplus_noise30-small.py
# Takes about 7 minutes on one core of an AMD EPYC (avx512_bf16).
# Measured results: docs/results/table1-small.md.
_base_ = [
    '../_base_/models/resnet18w16_cifar.py',
    '../_base_/datasets/ferplus_48.py',
    '../_base_/schedules/adam_30e_small.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(dataset=dict(rate=0.3))
