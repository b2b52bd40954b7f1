# FERPlus, seven expressions: 28,224 training, 3,529 validation and 3,519 test
# images. Each epoch is measured on the test split, as in the paper, which
# reports the mean of the last five epochs; do not choose a model or a setting by it.
_base_ = 'faces_224.py'

train_dataloader = dict(
    dataset=dict(dataset=dict(type='FERPlus', data_root='data/ferplus', split='train'))
)
val_dataloader = dict(
    dataset=dict(type='FERPlus', data_root='data/ferplus', split='test')
)
test_dataloader = val_dataloader
