# For the drawn faces: long enough at a high rate that a network which can
# memorise wrong labels does.
_base_ = 'adam_20e_small.py'

param_scheduler = dict(gamma=0.95)
train_cfg = dict(max_epochs=24)
auto_scale_lr = dict(base_batch_size=32)
