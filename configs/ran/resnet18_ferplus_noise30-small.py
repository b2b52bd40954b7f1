# RAN, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from scratch.
# python tools/train.py configs/ran/resnet18_ferplus_noise30-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

# The head takes the features of a region beside their summary: two times 128.
model = dict(type='RANClassifier', head=dict(in_channels=256))
