# EAC as the authors' code does it with clean labels: one erasing and one
# Gaussian noise for both views.
# python tools/train.py configs/eac/resnet18_rafdb_clean-released.py
_base_ = 'resnet18_rafdb_clean.py'

pair_pipeline = _base_.pair_pipeline
pair_pipeline[-2].update(noise_variance=30, noise_views='both')
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
