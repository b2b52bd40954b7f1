# LTNet, FERPlus (10,000 images at 48 px), from the ten votes of each face.
# python tools/train.py configs/ltnet/resnet18_ferplus_clean-votes-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

# Neutral, happiness, surprise, sadness, anger, disgust, fear; contempt, unknown, NF
model = dict(head=dict(type='LTNetHead', votes=(6, 3, 0, 4, 5, 2, 1, None, None, None)))
train_dataloader = dict(dataset=dict(rate=0.0))  # the votes tell the clean label
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'confusion': dict(decay_mult=0)}))
