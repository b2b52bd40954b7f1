# From scratch on small images: a larger rate, half of the epochs, bfloat16. Validated
# every fifth epoch and in the last five, which the result is the mean of.
_base_ = 'adam_60e.py'

optim_wrapper = dict(type='BFloat16OptimWrapper', optimizer=dict(lr=2e-3))
param_scheduler = dict(gamma=0.92)
train_cfg = dict(max_epochs=30, val_interval=5, dynamic_intervals=[(26, 1)])
auto_scale_lr = dict(base_batch_size=64)
