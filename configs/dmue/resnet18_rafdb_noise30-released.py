# DMUE as its released code trains AffectNet, but with a head ten times as fast as the
# backbone throughout. It starts from face weights: set load_from.
# python tools/train.py configs/dmue/resnet18_rafdb_noise30-released.py
_base_ = 'resnet18_rafdb_noise30.py'

data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3)
load = [dict(type='LoadFace'), dict(type='Resize', scale=(256, 256))]
crops = [dict(type=kind, crop_size=224) for kind in ('RandomCrop', 'CenterCrop')]
noise = dict(type='RandomApply', prob=0.25, transforms=[dict(type='GaussianNoise')])
erase = dict(_base_.erase, fill=[127.5] * 3)
augment = [_base_.seeding, noise, crops[0], _base_.flip, erase]
train_set = dict(dataset=dict(pipeline=[*load, *augment, _base_.pack]))
sampler = dict(_delete_=True, type='ClassBalancedSampler')  # by the noisy labels
train_dataloader = dict(batch_size=72, sampler=sampler, dataset=train_set)
val_dataloader = dict(dataset=dict(pipeline=[*load, crops[1], _base_.pack]))
test_dataloader = val_dataloader
auto_scale_lr = dict(base_batch_size=72)
faster = dict(custom_keys=dict(head=dict(lr_mult=10)))
optim_wrapper = dict(optimizer=dict(lr=1e-4), paramwise_cfg=faster)
steps = [(0.5, 6, 12), (0.1, 12, 22), (0.5, 22, 25), (0.1, 25, 36)]
param_scheduler = [  # a ConstantLR ends in the epoch before its end
    dict(type='ConstantLR', factor=f, begin=b, end=e + 1) for f, b, e in steps
]
train_cfg = dict(max_epochs=36)
