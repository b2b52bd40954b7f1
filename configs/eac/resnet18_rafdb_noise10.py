# EAC, ResNet-18, RAF-DB, 10 % symmetric noise.
# The paper (Table 1, MS-Celeb-1M weights): 88.02 %, mean of the last 5 epochs.
# python tools/train.py configs/eac/resnet18_rafdb_noise10.py
_base_ = 'resnet18_rafdb_clean.py'

train_dataloader = dict(dataset=dict(rate=0.1))
