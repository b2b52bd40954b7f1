# ResNet-50 for the weights of VGGFace2, as converted by tools/model_converters.
# The images stay RGB with ImageNet's mean and deviation, as in the released EAC
# code. VGGFace2 itself was trained on data_preprocessor=dict(to_rgb=False,
# mean=[91.4953, 103.8827, 131.0912], std=[1.0, 1.0, 1.0]): BGR, mean subtracted.
_base_ = 'resnet50_eac.py'

model = dict(backbone=dict(type='CaffeResNet'))
