# From face weights on small images: the paper's optimiser, a third of its epochs.
_base_ = 'adam_60e.py'

train_cfg = dict(max_epochs=20)
