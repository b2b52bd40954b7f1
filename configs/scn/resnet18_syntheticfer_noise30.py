# SCN, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/scn/resnet18_syntheticfer_noise30.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

model = dict(head=dict(type='SCNHead'))
