# RAN, ResNet-18, RAF-DB, 30 % symmetric noise.
# The paper gives no figure for RAN with noisy labels.
# python tools/train.py configs/ran/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

# The head takes the features of a region beside their summary: two times 512.
model = dict(type='RANClassifier', head=dict(in_channels=1024))
