# EAC, ResNet-18, FERPlus, each face with the label of one of its ten annotators.
# Of the noisy labels 22 % are not the majority's. No publication is known to use them.
# python tools/train.py configs/eac/resnet18_ferplus_annotator.py
_base_ = 'resnet18_ferplus_clean.py'

train_dataloader = dict(dataset=dict(kind='annotator'))
