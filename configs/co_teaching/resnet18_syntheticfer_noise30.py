# Co-teaching, ResNet-18, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/co_teaching/resnet18_syntheticfer_noise30.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

model = dict(type='CoTeaching', forget_rate=0.3, ramp_epochs=5)
