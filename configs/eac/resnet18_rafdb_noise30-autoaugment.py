# EAC with AutoAugment instead of erasing, 30 % symmetric noise.
# The paper (Table 4, RAF-DB, MS-Celeb-1M weights): 82.40 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise30-autoaugment.py
# The policies are ours; see the recipe of 10 %.
_base_ = 'resnet18_rafdb_noise10-autoaugment.py'

train_dataloader = dict(dataset=dict(rate=0.3))
