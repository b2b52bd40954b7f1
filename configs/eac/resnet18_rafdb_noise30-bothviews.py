# EAC without the imbalanced framework: both views are classified.
# The paper (Table 3, RAF-DB, MS-Celeb-1M weights): 78.29 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise30-bothviews.py
_base_ = 'resnet18_rafdb_noise30.py'

model = dict(head=dict(imbalanced=False))
