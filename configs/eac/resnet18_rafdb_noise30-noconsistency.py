# EAC without the flip consistency: cross-entropy on view 1 alone.
# The paper (Table 3, RAF-DB, MS-Celeb-1M weights): 78.10 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise30-noconsistency.py
_base_ = 'resnet18_rafdb_noise30.py'

model = dict(head=dict(consistency_weight=0))
