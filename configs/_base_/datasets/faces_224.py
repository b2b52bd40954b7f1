# Faces in files, at 224 px: what RAF-DB, FERPlus, AffectNet and your own faces share.
# The steps of the pipelines have names, for recipes that change one of them.
num_classes = 7
data_preprocessor = dict(
    type='EACDataPreprocessor',
    mean=[123.675, 116.28, 103.53],  # ImageNet, RGB
    std=[58.395, 57.12, 57.375],
    to_rgb=True,
)

load = [dict(type='LoadFace'), dict(type='Resize', scale=(224, 224))]
seeding = dict(type='SeedAugmentation')  # before every random step
erase = dict(type='Erasing')
flip = dict(type='RandomFlip', prob=0.5, direction='horizontal')
erase_pair = dict(type='ErasingFlipPair', erasing='shared')
pack = dict(type='PackInputs')

one_view = [seeding, erase, flip, pack]  # the baseline's
two_views = [seeding, erase_pair, pack]  # EAC's
train_pipeline = [*load, *one_view]
pair_pipeline = [*load, *two_views]
test_pipeline = [*load, pack]

train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='NoisyLabels',
        kind='symmetric',
        rate=0.0,
        seed=0,
        dataset=dict(pipeline=train_pipeline),
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(test_mode=True, pipeline=test_pipeline),
)
val_evaluator = [
    dict(type='Accuracy', topk=(1,)),
    dict(type='MeanClass'),  # every class counts the same
]
test_dataloader = val_dataloader
test_evaluator = [
    *val_evaluator,
    dict(type='SingleLabelMetric', items=('precision', 'recall', 'f1-score')),
]
