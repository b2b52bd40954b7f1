# EAC as the authors' code does it with clean labels: one erasing and one
# Gaussian noise for both views.
# python tools/train.py configs/eac/resnet18_ferplus_clean-released.py
_base_ = 'resnet18_ferplus_clean.py'

erase_pair = dict(_base_.erase_pair, noise_variance=30, noise_views='both')
pair_pipeline = [*_base_.load, _base_.seeding, erase_pair, _base_.pack]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
