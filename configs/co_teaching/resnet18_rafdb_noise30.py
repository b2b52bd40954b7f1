# Co-teaching, ResNet-18, RAF-DB, 30 % symmetric noise.
# python tools/train.py configs/co_teaching/resnet18_rafdb_noise30.py
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(type='CoTeaching', forget_rate=0.3, ramp_epochs=5)
