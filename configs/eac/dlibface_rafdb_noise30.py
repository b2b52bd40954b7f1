# EAC, RAF-DB, 30 % symmetric noise, from dlib's face weights.
# python tools/train.py configs/eac/dlibface_rafdb_noise30.py
# Needs pip install "eac_mm[face-weights]" once.
_base_ = [
    '../_base_/models/dlib_face.py',
    '../_base_/datasets/rafdb_96.py',
    '../_base_/schedules/adam_15e_pretrained.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='EACClassifier',
    head=dict(type='EACHead', num_classes=_base_.num_classes),
)
train_dataloader = dict(
    dataset=dict(rate=0.3, dataset=dict(pipeline=_base_.pair_pipeline))
)
load_from = 'dlib-face'
