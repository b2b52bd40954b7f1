# LTNet, FERPlus (10,000 images at 48 px), 30 % symmetric noise, from scratch.
# python tools/train.py configs/ltnet/resnet18_ferplus_noise30-small.py
# It reads the labels of a second annotator, which this command writes first:
# python tools/cross_fit.py configs/baseline/resnet18_ferplus_noise30-small.py \
#     work_dirs/ltnet/ferplus_noise30-small.txt --folds 5
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

model = dict(head=dict(type='LTNetHead', annotators=2))
train_dataloader = dict(
    dataset=dict(
        type='AnnotatedLabels', annotators=['work_dirs/ltnet/ferplus_noise30-small.txt']
    )
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'confusion': dict(decay_mult=0)}))
