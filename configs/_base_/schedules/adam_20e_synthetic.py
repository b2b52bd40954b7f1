# For the synthetic faces: the rate falls slowly enough for a small network to memorise
# wrong labels.
_base_ = 'adam_20e_small.py'

param_scheduler = dict(gamma=0.93)
auto_scale_lr = dict(base_batch_size=32)
