# DMUE, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/dmue/resnet18_syntheticfer_noise30.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

model = dict(type='DMUEClassifier', head=dict(type='DMUEHead', turning_point=3))
