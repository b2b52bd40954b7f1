# ResNet-18 of a quarter of the width, whose last stage keeps its resolution: for
# images of 48 to 64 px on small machines. It has 0.7 M weights; its last map is 3 x 3
# at 48 px and 4 x 4 at 64 px.
_base_ = 'resnet18.py'

model = dict(
    backbone=dict(stem_channels=16, base_channels=16, strides=(1, 2, 2, 1)),
    head=dict(in_channels=128),
)
