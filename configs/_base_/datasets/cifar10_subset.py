# A part of CIFAR-10 as JPEGs of 32 px, to see that a remedy works outside faces. It is
# not published; make one with images of your choice, 2,000 and 500 of each class: a
# folder of data/cifar10_subset for each split, train (20,000 images) and test (5,000),
# with a folder for each class. Every fourth training image is trained on, so that a run
# takes minutes and yet sees each image often. Epochs are measured on the test images.
_base_ = 'faces_224.py'

num_classes = 10
load = [dict(type='LoadFace'), dict(type='Resize', scale=(32, 32))]
train_pipeline = [*load, *_base_.one_view]
pair_pipeline = [*load, *_base_.two_views]
test_pipeline = [*load, _base_.pack]

images = dict(type='FolderFaces', data_root='data/cifar10_subset')
train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    dataset=dict(
        dataset=dict(
            **images,
            data_prefix='train',
            indices=list(range(0, 20000, 4)),
            pipeline=train_pipeline,
        )
    ),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=1,
    dataset=dict(**images, data_prefix='test', pipeline=test_pipeline),
)
test_dataloader = val_dataloader
