# SCN, ResNet-18, CIFAR-100, 30 % symmetric noise, from scratch.
# EAC's paper (Table 5; settings not published): top-1 56.19 %, top-5 78.30 %.
# python tools/train.py configs/scn/resnet18_cifar100_noise30.py
_base_ = '../baseline/resnet18_cifar100_noise30.py'

model = dict(head=dict(type='SCNHead'))
