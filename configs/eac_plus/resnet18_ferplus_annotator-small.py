# EAC-plus, FERPlus (10,000 images at 48 px), each face with the label of one of its
# ten annotators, from scratch. Of the noisy labels 23 % are not the majority's.
# python tools/train.py configs/eac_plus/resnet18_ferplus_annotator-small.py
_base_ = 'resnet18_ferplus_noise30-small.py'

train_dataloader = dict(dataset=dict(kind='annotator', rate=0))
