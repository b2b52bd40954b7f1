# Tiny-ImageNet at its own 64 px: 100,000 training and 10,000 validation images.
# Unpack http://cs231n.stanford.edu/tiny-imagenet-200.zip to data/tiny-imagenet-200.
# The paper's settings are in a supplement that is not available. Ours are those of
# CIFAR-100, with a padding of 8. Each epoch is measured on the validation images,
# because the labels of the test images are not public.
_base_ = 'faces_224.py'

num_classes = 200

load = [dict(type='LoadFace'), dict(type='Resize', scale=(64, 64))]
crop = dict(type='RandomCrop', crop_size=64, padding=8)
train_pipeline = [*load, _base_.seeding, crop, _base_.erase, _base_.flip, _base_.pack]
pair_pipeline = [*load, _base_.seeding, crop, _base_.erase_pair, _base_.pack]
test_pipeline = [*load, _base_.pack]

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
val_evaluator = [dict(type='Accuracy', topk=(1, 5)), dict(type='MeanClass')]
test_evaluator = val_evaluator
