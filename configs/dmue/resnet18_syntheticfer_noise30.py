# DMUE, synthetic faces at 48 px, 30 % symmetric noise, from scratch.
# python tools/train.py configs/dmue/resnet18_syntheticfer_noise30.py
_base_ = '../baseline/resnet18_syntheticfer_noise30.py'

# From random weights, the method's similarity weight of 1000 stops learning: README.md.
model = dict(
    type='DMUEClassifier',
    head=dict(type='DMUEHead', turning_point=10, similarity_weight=10.0),
)
