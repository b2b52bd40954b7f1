# Tiny-ImageNet at its own 64 px: 100,000 training and 10,000 validation images.
# Unpack http://cs231n.stanford.edu/tiny-imagenet-200.zip to data/tiny-imagenet-200.
# The paper's settings were in a supplement that is not to be had. Ours are those of
# CIFAR-100, with a padding of 8. Each epoch is measured on the validation images,
# for the labels of the test images are not public.
_base_ = 'faces_224.py'

load = [dict(type='LoadFace')]
crop = [
    *load,
    dict(type='SeedAugmentation'),
    dict(type='RandomCrop', crop_size=64, padding=8),
]
train_pipeline = [
    *crop,
    dict(type='Erasing'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
pair_pipeline = [
    *crop,
    dict(type='ErasingFlipPair', erasing='shared'),
    dict(type='PackInputs'),
]
test_pipeline = [*load, dict(type='PackInputs')]

tiny = dict(type='TinyImageNet', data_root='data/tiny-imagenet-200')
train_dataloader = dict(
    batch_size=128,
    dataset=dict(dataset=dict(**tiny, split='train', pipeline=train_pipeline)),
)
val_dataloader = dict(
    batch_size=256,
    dataset=dict(**tiny, split='val', pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_evaluator = [val_evaluator]
