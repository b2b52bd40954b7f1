# EAC with AutoAugment instead of erasing, 10 % symmetric noise.
# The paper (Table 4, RAF-DB, MS-Celeb-1M weights): 87.84 %.
# python tools/train.py configs/eac/resnet18_rafdb_noise10-autoaugment.py
# The paper names no policies. Ours: those found for ImageNet, filled with the
# mean colour (BGR).
_base_ = 'resnet18_rafdb_noise10.py'

augment = dict(
    type='AutoAugment',
    policies='imagenet',
    hparams=dict(pad_val=[103.53, 116.28, 123.675]),
)
flip_pair = dict(_base_.erase_pair, prob=0)  # view 2 is the flip of the augmented view
pair_pipeline = [*_base_.load, _base_.seeding, augment, flip_pair, _base_.pack]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=pair_pipeline)))
