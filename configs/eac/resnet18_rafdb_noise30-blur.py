# EAC with blur instead of erasing, 30 % symmetric noise.
# The paper (Table 4, RAF-DB, MS-Celeb-1M weights): 76.92 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise30-blur.py
# The strength is ours; see the recipe of 10 %.
_base_ = 'resnet18_rafdb_noise10-blur.py'

train_dataloader = dict(dataset=dict(rate=0.3))
