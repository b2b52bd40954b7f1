# LTNet, ResNet-18, FERPlus, from the ten votes of each face.
# The paper gives no figure for it.
# python tools/train.py configs/ltnet/resnet18_ferplus_clean-votes.py
_base_ = '../baseline/resnet18_ferplus_clean.py'

# Neutral, happiness, surprise, sadness, anger, disgust, fear; contempt, unknown, NF
model = dict(head=dict(type='LTNetHead', votes=(6, 3, 0, 4, 5, 2, 1, None, None, None)))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'confusion': dict(decay_mult=0)}))
