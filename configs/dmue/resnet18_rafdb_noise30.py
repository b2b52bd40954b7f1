# DMUE, ResNet-18, RAF-DB, 30 % symmetric noise.
# EAC's paper gives no figure for DMUE with noisy labels.
# python tools/train.py configs/dmue/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(type='DMUEClassifier', head=dict(type='DMUEHead', turning_point=10))
