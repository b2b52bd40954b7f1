# For the synthetic faces: the learning rate stays high long enough for a network
# that can memorise wrong labels to do so.
_base_ = 'adam_20e_small.py'

param_scheduler = dict(gamma=0.95)
train_cfg = dict(max_epochs=24)
auto_scale_lr = dict(base_batch_size=32)
