# Co-teaching, ResNet-18, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from
# scratch.
# python tools/train.py configs/co_teaching/resnet18_cifar10_noise40.py
_base_ = '../baseline/resnet18_cifar10_noise40.py'

model = dict(type='CoTeaching', forget_rate=0.4, ramp_epochs=5)
