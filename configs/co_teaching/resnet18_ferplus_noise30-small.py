# Co-teaching, ResNet-18, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from
# scratch.
# python tools/train.py configs/co_teaching/resnet18_ferplus_noise30-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

model = dict(type='CoTeaching', forget_rate=0.3, ramp_epochs=5)
