# Baseline, ResNet-18, AffectNet, 30 % symmetric noise; 7 classes (the paper does not
# say whether its noisy runs have 7 or 8).
# The paper (Table 1, MS-Celeb-1M weights): 52.16 %, mean of the last 5 epochs.
# python tools/train.py configs/baseline/resnet18_affectnet_noise30.py
_base_ = 'resnet18_affectnet_clean.py'

train_dataloader = dict(dataset=dict(rate=0.3))
