_base_ = 'resnet18_cifar_baseline.py'

model = dict(
    type='EACClassifier',
    head=dict(
        type='EACHead',
        consistency_weight=5.0,  # lambda of Eq. 4
        consistency=dict(type='AttentionConsistencyLoss', distance='mse'),
    ),
)
