# EAC, FERPlus (10,000 images at 48 px), 20 % symmetric noise, from scratch.
# python tools/train.py configs/eac/resnet18_ferplus_noise20-small.py
# Takes about 12 minutes on one core of an AMD EPYC (avx512_bf16).
# Measured results: docs/results/table1-small.md.
_base_ = 'resnet18_ferplus_noise30-small.py'

train_dataloader = dict(dataset=dict(rate=0.2))
