# For the subset of CIFAR-10: from scratch, bfloat16, long enough for a small network to
# memorise wrong labels. SGD from 0.1 to 0 along a cosine, weight decay 1e-3 as ELR's
# authors have it on CIFAR-10. Validated every second epoch and in the last five, which
# the result is the mean of.
_base_ = 'sgd_100e.py'

optim_wrapper = dict(type='BFloat16OptimWrapper', optimizer=dict(weight_decay=1e-3))
param_scheduler = dict(T_max=45)
train_cfg = dict(max_epochs=45, val_interval=2, dynamic_intervals=[(41, 1)])
auto_scale_lr = dict(base_batch_size=64)
