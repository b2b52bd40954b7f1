# From face weights on small images: the paper's optimiser, a quarter of its epochs,
# bfloat16. Validated every fifth epoch and in the last five, which the result is the
# mean of.
_base_ = 'adam_60e.py'

optim_wrapper = dict(type='BFloat16OptimWrapper')
train_cfg = dict(max_epochs=15, val_interval=5, dynamic_intervals=[(11, 1)])
