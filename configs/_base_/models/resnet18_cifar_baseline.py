# A ResNet-18 for small images: its first convolution is 3 x 3 with stride 1, and
# there is no pooling after it. Its map is 4 x 4 at 32 px and 8 x 8 at 64 px.
# Classes and colours are those of CIFAR-100.
_base_ = 'resnet18_baseline.py'

model = dict(
    backbone=dict(type='ResNet_CIFAR'),
    head=dict(num_classes=100),
    data_preprocessor=dict(
        mean=[129.304, 124.07, 112.434],  # CIFAR-100, RGB, as its images come
        std=[68.17, 65.392, 70.418],
        to_rgb=False,
    ),
)
