# Baseline, ResNet-18, Tiny-ImageNet, 20 % symmetric noise, from scratch.
# The paper (Table 5; settings not published): top-1 49.56 %, top-5 72.43 %.
# python tools/train.py configs/baseline/resnet18_tinyimagenet_noise20.py
_base_ = 'resnet18_tinyimagenet_noise10.py'

train_dataloader = dict(dataset=dict(rate=0.2))
