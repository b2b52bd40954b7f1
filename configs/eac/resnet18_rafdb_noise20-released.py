# EAC as the authors' code does it with noisy labels: each view erased on its
# own, Gaussian noise on the classified view.
# python tools/train.py configs/eac/resnet18_rafdb_noise20-released.py
_base_ = 'resnet18_rafdb_noise20.py'

pair_pipeline = _base_.pair_pipeline
pair_pipeline[-2].update(erasing='independent', noise_variance=30)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
