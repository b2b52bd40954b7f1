# Tiny-ImageNet has 200 classes; its files are loaded as BGR, ImageNet's colours.
_base_ = 'resnet18_cifar_eac.py'

model = dict(
    head=dict(num_classes=200),
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],  # ImageNet, RGB
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
)
