# RAN as its released code trains on FERPlus, but with the paper's weights of regions,
# and our regions. It starts from face weights: set load_from.
# python tools/train.py configs/ran/resnet18_ferplus_noise30-released.py
_base_ = 'resnet18_ferplus_noise30.py'

model = dict(margin=0.1)
data_preprocessor = dict(mean=[0.0] * 3, std=[255.0] * 3)
pipeline = [*_base_.load, _base_.seeding, _base_.pack]  # neither flip nor erasing
train_dataloader = dict(batch_size=128, dataset=dict(dataset=dict(pipeline=pipeline)))
auto_scale_lr = dict(base_batch_size=128)
sgd = dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4)
optim_wrapper = dict(optimizer=dict(sgd, _delete_=True))
steps = dict(type='MultiStepLR', milestones=[18, 30, 48], gamma=0.1)
param_scheduler = dict(steps, _delete_=True)
