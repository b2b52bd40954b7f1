# ResNet-50 for the weights of VGGFace2, as converted by tools/model_converters. For
# EAC the paper takes lambda 5 at 0 and 10 % noise and 10 at 20 and 30 % (Sec. 4.3):
# model.head.consistency_weight.
# The images stay RGB with ImageNet's mean and std, as in the released EAC code.
# VGGFace2 itself was trained on BGR with the mean subtracted; for that, write in a
# recipe: data_preprocessor=dict(to_rgb=False, mean=[91.4953, 103.8827, 131.0912],
# std=[1.0, 1.0, 1.0]).
_base_ = 'resnet18.py'

model = dict(backbone=dict(type='CaffeResNet', depth=50), head=dict(in_channels=2048))
