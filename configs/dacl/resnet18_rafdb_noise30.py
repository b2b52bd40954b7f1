# DACL, ResNet-18, RAF-DB, 30 % symmetric noise.
# The paper gives no figure for DACL with noisy labels.
# python tools/train.py configs/dacl/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(neck=None, head=dict(type='DACLHead'))
