# EAC-plus, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/eac_plus/resnet18_syntheticfer_noise30.py
_base_ = '../eac/resnet18_syntheticfer_noise30.py'

# 1.31 passes a sample instead of 2, in 30 epochs instead of 20: as many passes. The
# learning rate ends as low as EAC's.
model = dict(head=dict(paired=0.3))
param_scheduler = dict(gamma=0.9528)
train_cfg = dict(max_epochs=30)
