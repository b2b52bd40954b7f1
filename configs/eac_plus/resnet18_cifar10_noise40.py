# EAC-plus, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/eac_plus/resnet18_cifar10_noise40.py
_base_ = '../eac/resnet18_cifar10_noise40.py'

# 1.3 passes a sample instead of 2, in 69 epochs instead of 45: as many passes. The
# learning rate ends at 0, as EAC's.
model = dict(head=dict(paired=0.3))
param_scheduler = dict(T_max=69)
train_cfg = dict(max_epochs=69, dynamic_intervals=[(65, 1)])
