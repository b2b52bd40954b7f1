# Baseline, MobileNetV2, RAF-DB, clean labels.
# The paper (Table 2; ImageNet weights in its code): 83.31 %, mean of the last 5 epochs.
# python tools/train.py configs/baseline/mobilenetv2_rafdb_clean.py
_base_ = [
    '../_base_/models/mobilenetv2.py',
    '../_base_/datasets/rafdb.py',
    '../_base_/schedules/adam_60e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=_base_.num_classes))
