# EAC, ResNet-50, RAF-DB, 30 % symmetric noise.
# The paper (Table 2; VGGFace2 weights in its code): 85.27 %, mean of the last 5 epochs.
# python tools/train.py configs/eac/resnet50_rafdb_noise30.py
_base_ = 'resnet50_rafdb_clean.py'

model = dict(head=dict(consistency_weight=10.0))  # lambda, Sec. 4.3
train_dataloader = dict(dataset=dict(rate=0.3))
