# Baseline, ResNet-50, RAF-DB, 20 % symmetric noise.
# The paper (Table 2; VGGFace2 weights in its code): 79.11 %, mean of the last 5 epochs.
# python tools/train.py configs/baseline/resnet50_rafdb_noise20.py
_base_ = 'resnet50_rafdb_clean.py'

train_dataloader = dict(dataset=dict(rate=0.2))
