# GCE, ResNet-18, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/gce/resnet18_cifar10_noise40.py
_base_ = '../baseline/resnet18_cifar10_noise40.py'

model = dict(head=dict(loss=dict(type='GCELoss', q=0.7)))
