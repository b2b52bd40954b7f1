# SCN, ResNet-18, FERPlus, 30 % symmetric noise.
# EAC's paper (Table 1, MS-Celeb-1M weights): 82.20 %, mean of the last 5 epochs.
# python tools/train.py configs/scn/resnet18_ferplus_noise30.py
_base_ = '../baseline/resnet18_ferplus_noise30.py'

model = dict(head=dict(type='SCNHead'))
