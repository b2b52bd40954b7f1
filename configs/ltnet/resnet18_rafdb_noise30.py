# LTNet, ResNet-18, RAF-DB, 30 % symmetric noise.
# The paper gives no figure for noisy labels.
# python tools/train.py configs/ltnet/resnet18_rafdb_noise30.py
# It reads the labels of a second annotator, which this command writes first:
# python tools/cross_fit.py configs/baseline/resnet18_rafdb_noise30.py \
#     work_dirs/ltnet/rafdb_noise30.txt
_base_ = '../baseline/resnet18_rafdb_noise30.py'

model = dict(head=dict(type='LTNetHead', annotators=2))
train_dataloader = dict(
    dataset=dict(
        type='AnnotatedLabels', annotators=['work_dirs/ltnet/rafdb_noise30.txt']
    )
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'confusion': dict(decay_mult=0)}))
