# For the subset of CIFAR-10: from scratch, bfloat16, long enough for a small network to
# memorise wrong labels. Validated every second epoch and in the last five, which the
# result is the mean of.
_base_ = 'adam_60e.py'

optim_wrapper = dict(type='BFloat16OptimWrapper', optimizer=dict(lr=2e-3))
param_scheduler = dict(gamma=0.95)
train_cfg = dict(max_epochs=30, val_interval=2, dynamic_intervals=[(26, 1)])
