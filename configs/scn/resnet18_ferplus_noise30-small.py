# SCN, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from scratch.
# python tools/train.py configs/scn/resnet18_ferplus_noise30-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

model = dict(head=dict(type='SCNHead'))
