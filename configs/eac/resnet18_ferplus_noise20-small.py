# EAC on real faces at 48 px, 20 % symmetric noise, from scratch on two cores.
# python tools/train.py configs/eac/resnet18_ferplus_noise20-small.py
_base_ = 'resnet18_ferplus_noise30-small.py'

train_dataloader = dict(dataset=dict(rate=0.2))
