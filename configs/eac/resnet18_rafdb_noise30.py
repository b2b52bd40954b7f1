# EAC, ResNet-18, RAF-DB, 30 % symmetric noise.
# The paper (Table 1, MS-Celeb-1M weights): 84.42 %, mean of the last 5 epochs.
# python tools/train.py configs/eac/resnet18_rafdb_noise30.py
_base_ = 'resnet18_rafdb_clean.py'

train_dataloader = dict(dataset=dict(rate=0.3))
