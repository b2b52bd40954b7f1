# Baseline, ResNet-18, FERPlus, 20 % symmetric noise.
# The paper (Table 1, MS-Celeb-1M weights): 82.34 %, mean of the last 5 epochs.
# python tools/train.py configs/baseline/resnet18_ferplus_noise20.py
_base_ = 'resnet18_ferplus_clean.py'

train_dataloader = dict(dataset=dict(rate=0.2))
