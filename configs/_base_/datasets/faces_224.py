# Face images in files, at 224 px: what RAF-DB, FERPlus and your own data share.
# train_pipeline gives one view (baselines), pair_pipeline EAC's two.
load = [
    dict(type='LoadFace'),
    dict(type='Resize', scale=(224, 224)),
]
train_pipeline = [
    *load,
    dict(type='SeedAugmentation'),
    dict(type='Erasing'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
pair_pipeline = [
    *load,
    dict(type='SeedAugmentation'),
    dict(type='ErasingFlipPair', erasing='shared'),
    dict(type='PackInputs'),
]
test_pipeline = [*load, dict(type='PackInputs')]

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
val_evaluator = dict(type='Accuracy', topk=(1,))
test_dataloader = val_dataloader
test_evaluator = [
    val_evaluator,
    dict(type='SingleLabelMetric', items=('precision', 'recall', 'f1-score')),
]
