# From scratch on small images: a larger rate, which falls slowly enough for a small
# network to memorise wrong labels, a third of the epochs, bfloat16. Of the first 15
# epochs every fifth is validated, and each of the last five.
_base_ = 'adam_60e.py'

optim_wrapper = dict(type='BFloat16OptimWrapper', optimizer=dict(lr=2e-3))
param_scheduler = dict(gamma=0.93)
train_cfg = dict(max_epochs=20, val_interval=5, dynamic_intervals=[(16, 1)])
