# EAC, ResNet-18, Tiny-ImageNet, 20 % symmetric noise, from scratch.
# The paper (Table 5; settings not published): top-1 67.23 %, top-5 89.01 %.
# python tools/train.py configs/eac/resnet18_tinyimagenet_noise20.py
_base_ = 'resnet18_tinyimagenet_noise10.py'

train_dataloader = dict(dataset=dict(rate=0.2))
