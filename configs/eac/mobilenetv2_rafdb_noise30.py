# EAC, MobileNetV2, RAF-DB, 30 % symmetric noise.
# The paper (Table 2; ImageNet weights in its code): 79.82 %, mean of the last 5 epochs.
# python tools/train.py configs/eac/mobilenetv2_rafdb_noise30.py
_base_ = 'mobilenetv2_rafdb_clean.py'

model = dict(head=dict(consistency_weight=10.0))  # lambda, Sec. 4.3
train_dataloader = dict(dataset=dict(rate=0.3))
