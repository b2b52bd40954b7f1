# EAC as the authors' code does it with noisy labels: each view erased on its
# own, Gaussian noise on the classified view.
# python tools/train.py configs/eac/resnet18_ferplus_noise30-released.py
_base_ = 'resnet18_ferplus_noise30.py'

erase_pair = dict(_base_.erase_pair, erasing='independent', noise_variance=30)
pair_pipeline = [*_base_.load, _base_.seeding, erase_pair, _base_.pack]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
