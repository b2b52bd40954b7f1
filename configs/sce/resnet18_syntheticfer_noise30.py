# SCE, ResNet-18, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/sce/resnet18_syntheticfer_noise30.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

model = dict(head=dict(loss=dict(type='SCELoss', alpha=0.1, beta=1.0)))
