# EAC-plus, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/eac_plus/resnet18_cifar10_noise40.py
_base_ = '../eac/resnet18_cifar10_noise40.py'

# 1.31 passes a sample instead of 2, in 45 epochs instead of 30: as many passes. The
# learning rate ends as low as EAC's.
model = dict(head=dict(paired=0.3))
param_scheduler = dict(gamma=0.9664)
train_cfg = dict(max_epochs=45, dynamic_intervals=[(41, 1)])
