# Baseline, ResNet-18, CIFAR-100, 10 % symmetric noise, from scratch.
# The paper (Table 5; settings not published): top-1 64.56 %, top-5 85.37 %.
# python tools/train.py configs/baseline/resnet18_cifar100_noise10.py
_base_ = [
    '../_base_/models/resnet18_cifar.py',
    '../_base_/datasets/cifar100.py',
    '../_base_/schedules/sgd_100e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(dataset=dict(rate=0.1))
