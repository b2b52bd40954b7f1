# EAC-plus, FERPlus (5,000 images at 96 px), 30 % symmetric noise, dlib's face weights.
# python tools/train.py configs/eac_plus/dlibface_ferplus_noise30-pretrained.py
# Needs pip install "eac_mm[face-weights]" once.
_base_ = '../eac/dlibface_ferplus_noise30-pretrained.py'

# 1.31 passes a sample instead of 2, in 22 epochs instead of 15: 29 passes and not 30.
# The learning rate ends as low as EAC's.
model = dict(head=dict(paired=0.3))
param_scheduler = dict(gamma=0.9307)
train_cfg = dict(max_epochs=22, dynamic_intervals=[(18, 1)])
