# CIFAR-100 at its own 32 px: 50,000 training and 10,000 test images. Unpack
# https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz to
# data/cifar100/cifar-100-python; nothing is fetched unless you set download=True.
# The paper's settings were in a supplement that is not to be had. Ours: the usual
# crop with a padding of 4, the same for both views of a pair, then the erasing and
# the flip that the faces get. Each epoch is measured on the test images.
_base_ = 'faces_224.py'

fill = (129.304, 124.07, 112.434)  # CIFAR-100's mean; its images come as RGB
crop = [
    dict(type='SeedAugmentation'),
    dict(type='RandomCrop', crop_size=32, padding=4),
]
train_pipeline = [
    *crop,
    dict(type='Erasing', fill=fill),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
pair_pipeline = [
    *crop,
    dict(type='ErasingFlipPair', erasing='shared', fill=fill),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]

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
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_evaluator = [val_evaluator]
