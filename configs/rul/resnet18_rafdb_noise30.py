# RUL, ResNet-18, RAF-DB, 30 % symmetric noise.
# EAC's paper (Table 1, MS-Celeb-1M weights): 82.06 %, mean of the last 5 epochs.
# python tools/train.py configs/rul/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(neck=None, head=dict(type='RULHead'))
# The classifier learns ten times as fast.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.fc': dict(lr_mult=10)}))
