# RAF-DB, seven basic expressions: 12,271 training and 3,068 test images.
_base_ = 'faces_224.py'

train_dataloader = dict(
    dataset=dict(dataset=dict(type='RAFDB', data_root='data/rafdb', split='train'))
)
val_dataloader = dict(dataset=dict(type='RAFDB', data_root='data/rafdb', split='test'))
test_dataloader = val_dataloader
