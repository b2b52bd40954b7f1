# SCN, ResNet-18, RAF-DB, 30 % symmetric noise.
# EAC's paper (Table 1, MS-Celeb-1M weights): 77.45 %, mean of the last 5 epochs.
# python tools/train.py configs/scn/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(head=dict(type='SCNHead'))
