# For the synthetic faces: the rate falls slowly enough for a small network to memorise
# wrong labels. Every second epoch is validated, and each of the last five.
_base_ = 'adam_20e_small.py'

param_scheduler = dict(gamma=0.93)
train_cfg = dict(val_interval=2, dynamic_intervals=[(16, 1)])
auto_scale_lr = dict(base_batch_size=32)
