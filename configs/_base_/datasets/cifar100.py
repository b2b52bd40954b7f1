# CIFAR-100 at its own 32 px: 50,000 training and 10,000 test images. Unpack
# https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz to
# data/cifar100/cifar-100-python; nothing is downloaded unless you set download=True.
# The paper's settings are in a supplement that is not available. Ours: the usual crop
# with a padding of 4, the same for both views of a pair, then the faces' erasing and
# flip. Each epoch is measured on the test images.
# MMPretrain's inferencer loads files as BGR: give it arrays in RGB with this model.
_base_ = 'faces_224.py'

num_classes = 100
mean = [129.304, 124.07, 112.434]  # CIFAR-100, RGB, as its images come
data_preprocessor = dict(mean=mean, std=[68.17, 65.392, 70.418], to_rgb=False)

load = [dict(type='Resize', scale=(32, 32))]
crop = dict(type='RandomCrop', crop_size=32, padding=4)
erase = dict(type='Erasing', fill=tuple(mean))
erase_pair = dict(type='ErasingFlipPair', erasing='shared', fill=tuple(mean))
train_pipeline = [*load, _base_.seeding, crop, erase, _base_.flip, _base_.pack]
pair_pipeline = [*load, _base_.seeding, crop, erase_pair, _base_.pack]
test_pipeline = [*load, _base_.pack]

cifar = dict(type='CIFAR100', data_root='data/cifar100', download=False)
train_dataloader = dict(
    batch_size=128,
    dataset=dict(dataset=dict(**cifar, split='train', pipeline=train_pipeline)),
)
val_dataloader = dict(
    batch_size=256,
    dataset=dict(**cifar, split='test', pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = [dict(type='Accuracy', topk=(1, 5)), dict(type='MeanClass')]
test_evaluator = val_evaluator
