# From scratch on small images: a larger rate, a third of the epochs, bfloat16.
_base_ = 'adam_60e.py'

optim_wrapper = dict(type='BFloat16OptimWrapper', optimizer=dict(lr=2e-3))
train_cfg = dict(max_epochs=20)
auto_scale_lr = dict(base_batch_size=64)
