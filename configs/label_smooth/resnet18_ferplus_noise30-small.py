# Label smoothing, ResNet-18, FERPlus (10,000 images at 48 px), 30 % symmetric noise,
# from scratch.
# python tools/train.py configs/label_smooth/resnet18_ferplus_noise30-small.py
_base_ = '../baseline/resnet18_ferplus_noise30-small.py'

model = dict(head=dict(loss=dict(type='LabelSmoothLoss', label_smooth_val=0.2)))
