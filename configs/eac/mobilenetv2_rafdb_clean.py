# EAC, MobileNetV2, RAF-DB, clean labels.
# The paper (Table 2; ImageNet weights in its code): 86.47 %, mean of the last 5 epochs.
# python tools/train.py configs/eac/mobilenetv2_rafdb_clean.py
_base_ = [
    '../_base_/models/mobilenetv2.py',
    '../_base_/datasets/rafdb.py',
    '../_base_/schedules/adam_60e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='EACClassifier',
    head=dict(type='EACHead', num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=_base_.pair_pipeline)))
