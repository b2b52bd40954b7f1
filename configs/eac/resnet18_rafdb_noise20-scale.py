# EAC under scaling instead of the flip, 20 % symmetric noise.
# The paper (Table 4, RAF-DB, MS-Celeb-1M weights): 85.30 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise20-scale.py
# The range is ours; see the recipe of 10 %.
_base_ = 'resnet18_rafdb_noise10-scale.py'

train_dataloader = dict(dataset=dict(rate=0.2))
