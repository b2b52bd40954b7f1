# Baseline, ResNet-18, CIFAR-100, 20 % symmetric noise, from scratch.
# The paper (Table 5; settings not published): top-1 57.33 %, top-5 78.93 %.
# python tools/train.py configs/baseline/resnet18_cifar100_noise20.py
_base_ = 'resnet18_cifar100_noise10.py'

train_dataloader = dict(dataset=dict(rate=0.2))
