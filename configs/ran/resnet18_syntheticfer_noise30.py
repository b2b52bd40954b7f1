# RAN, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/ran/resnet18_syntheticfer_noise30.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

# The head takes the features of a region beside their summary: two times 128.
model = dict(type='RANClassifier', head=dict(in_channels=256))
