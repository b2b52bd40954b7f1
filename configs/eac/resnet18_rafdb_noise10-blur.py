# EAC with blur instead of erasing, 10 % symmetric noise.
# The paper (Table 4, RAF-DB, MS-Celeb-1M weights): 86.80 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise10-blur.py
# The paper gives no strength. Ours: every other image, by a Gaussian whose
# standard deviation is uniform in [0.1, 2] pixels.
_base_ = 'resnet18_rafdb_noise10.py'

blur = dict(
    type='GaussianBlur', prob=0.5, magnitude_range=(0.1, 2.0), magnitude_std='inf'
)
flip_pair = dict(_base_.erase_pair, prob=0)  # view 2 is the flip of the blurred view 1
pair_pipeline = [*_base_.load, _base_.seeding, blur, flip_pair, _base_.pack]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
