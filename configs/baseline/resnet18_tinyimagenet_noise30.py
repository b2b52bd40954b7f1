# Baseline, ResNet-18, Tiny-ImageNet, 30 % symmetric noise, from scratch.
# The paper (Table 5; settings not published): top-1 41.32 %, top-5 64.58 %.
# python tools/train.py configs/baseline/resnet18_tinyimagenet_noise30.py
_base_ = 'resnet18_tinyimagenet_noise10.py'

train_dataloader = dict(dataset=dict(rate=0.3))
