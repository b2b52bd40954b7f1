# RUL, ResNet-18, FERPlus, 30 % symmetric noise.
# EAC's paper (Table 1, MS-Celeb-1M weights): 83.90 %, mean of the last 5 epochs.
# python tools/train.py configs/rul/resnet18_ferplus_noise30.py
_base_ = '../baseline/resnet18_ferplus_noise30.py'

model = dict(neck=None, head=dict(type='RULHead'))
# The classifier learns ten times as fast.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.fc': dict(lr_mult=10)}))
