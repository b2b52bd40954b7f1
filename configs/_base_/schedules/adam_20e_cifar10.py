# For the subset of CIFAR-10: from scratch, bfloat16, at a rate that falls slowly enough
# for a small network to memorise wrong labels.
_base_ = 'adam_60e.py'

optim_wrapper = dict(type='BFloat16OptimWrapper', optimizer=dict(lr=2e-3))
param_scheduler = dict(gamma=0.93)
train_cfg = dict(max_epochs=20)
auto_scale_lr = dict(base_batch_size=64)
