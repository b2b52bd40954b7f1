# DACL as its released code trains it, but with crops from anywhere for its one of five.
# It starts from face weights: set load_from.
# python tools/train.py configs/dacl/resnet18_rafdb_noise30-released.py
_base_ = 'resnet18_rafdb_noise30.py'

# RAF-DB's: 0.5752, 0.4495, 0.4012 and 0.2086, 0.1911, 0.1827 in that code
mean, std = [146.676, 114.6225, 102.306], [53.193, 48.7305, 46.5885]
data_preprocessor = dict(mean=mean, std=std)
load = [dict(type='LoadFace'), dict(type='Resize', scale=(256, 256))]
crops = [dict(type=kind, crop_size=224) for kind in ('RandomCrop', 'CenterCrop')]
augment = [_base_.seeding, crops[0], _base_.flip]  # no erasing
train_set = dict(dataset=dict(pipeline=[*load, *augment, _base_.pack]))
train_dataloader = dict(batch_size=64, dataset=train_set)
val_dataloader = dict(dataset=dict(pipeline=[*load, crops[1], _base_.pack]))
test_dataloader = val_dataloader
auto_scale_lr = dict(base_batch_size=64)
sgd = dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4)
optim_wrapper = dict(optimizer=dict(sgd, _delete_=True))
param_scheduler = dict(_delete_=True, type='StepLR', step_size=20, gamma=0.1)
