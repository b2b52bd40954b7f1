# SCE, ResNet-18, RAF-DB, 30 % symmetric noise.
# python tools/train.py configs/sce/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(head=dict(loss=dict(type='SCELoss', alpha=0.1, beta=1.0)))
