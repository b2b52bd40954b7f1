# ResNet-18 of a quarter of the width for images of 48 px on small machines: its first
# convolution is 3 x 3 with stride 1, no pooling follows, and the first stage halves
# the resolution, which saves two thirds of the time. It has 0.7 M weights; its last
# map is 6 x 6 at 48 px.
_base_ = 'resnet18_cifar.py'

model = dict(
    backbone=dict(stem_channels=16, base_channels=16, strides=(2, 2, 2, 1)),
    head=dict(in_channels=128),
)
