# From scratch on small images: a larger rate, half the epochs, bfloat16.
_base_ = 'adam_60e.py'

optim_wrapper = dict(type='BFloat16OptimWrapper', optimizer=dict(lr=2e-3))
param_scheduler = dict(gamma=0.92)
train_cfg = dict(max_epochs=30)
auto_scale_lr = dict(base_batch_size=64)
