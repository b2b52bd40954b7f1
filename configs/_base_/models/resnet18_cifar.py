# ResNet-18 for images of 32 to 64 px: its first convolution is 3 x 3 with stride 1,
# and no pooling follows. Its last map is 4 x 4 at 32 px and 8 x 8 at 64 px.
_base_ = 'resnet18.py'

model = dict(backbone=dict(type='ResNet_CIFAR'))
