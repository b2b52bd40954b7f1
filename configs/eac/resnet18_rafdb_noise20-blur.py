# EAC with blur instead of erasing, 20 % symmetric noise.
# The paper (Table 4, RAF-DB, MS-Celeb-1M weights): 83.77 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise20-blur.py
# The strength is ours; see the recipe of 10 %.
_base_ = 'resnet18_rafdb_noise10-blur.py'

train_dataloader = dict(dataset=dict(rate=0.2))
