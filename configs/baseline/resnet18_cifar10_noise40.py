# Baseline, a part of CIFAR-10 at 32 px, 40 % symmetric noise, from scratch.
# python tools/train.py configs/baseline/resnet18_cifar10_noise40.py
_base_ = [
    '../_base_/models/resnet18w16_cifar.py',
    '../_base_/datasets/cifar10_subset.py',
    '../_base_/schedules/sgd_45e_cifar10.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(dataset=dict(rate=0.4))
default_hooks = dict(memorisation=dict(interval=100))  # and in the last five epochs
