# Baseline, MobileNetV2, RAF-DB, 30 % symmetric noise.
# The paper (Table 2; ImageNet weights in its code): 62.48 %, mean of the last 5 epochs.
# python tools/train.py configs/baseline/mobilenetv2_rafdb_noise30.py
_base_ = 'mobilenetv2_rafdb_clean.py'

train_dataloader = dict(dataset=dict(rate=0.3))
