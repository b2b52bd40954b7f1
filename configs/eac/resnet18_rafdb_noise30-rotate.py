# EAC under rotation instead of the flip, 30 % symmetric noise.
# The paper (Table 4, RAF-DB, MS-Celeb-1M weights): 78.23 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise30-rotate.py
# The range is ours; see the recipe of 10 %.
_base_ = 'resnet18_rafdb_noise10-rotate.py'

train_dataloader = dict(dataset=dict(rate=0.3))
