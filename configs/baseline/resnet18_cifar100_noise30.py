# Baseline, ResNet-18, CIFAR-100, 30 % symmetric noise, from scratch.
# The paper (Table 5; settings not published): top-1 49.70 %, top-5 72.55 %.
# python tools/train.py configs/baseline/resnet18_cifar100_noise30.py
_base_ = 'resnet18_cifar100_noise10.py'

train_dataloader = dict(dataset=dict(rate=0.3))
