# Baseline, ResNet-50, RAF-DB, clean labels.
# The paper (Table 2; VGGFace2 weights in its code): 88.75 %, mean of the last 5 epochs.
# python tools/train.py configs/baseline/resnet50_rafdb_clean.py
_base_ = [
    '../_base_/models/resnet50_vggface2.py',
    '../_base_/datasets/rafdb.py',
    '../_base_/schedules/adam_60e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=_base_.num_classes))
optim_wrapper = dict(optimizer=dict(lr=1e-4))  # as the authors' code
