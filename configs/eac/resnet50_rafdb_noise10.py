# EAC, ResNet-50, RAF-DB, 10 % symmetric noise.
# The paper (Table 2; VGGFace2 weights in its code): 88.62 %, mean of the last 5 epochs.
# python tools/train.py configs/eac/resnet50_rafdb_noise10.py
_base_ = 'resnet50_rafdb_clean.py'

train_dataloader = dict(dataset=dict(rate=0.1))
