# From scratch on CIFAR-100 and Tiny-ImageNet. The paper's schedule is in a
# supplement that is not available; its Adam at 2e-4 is meant for pre-trained
# weights. This is the usual one for small ResNets: SGD at 0.1 for batches of 128,
# falling to 0 along a cosine, so that the last five epochs, whose mean is
# reported, hardly differ. Weight decay 5e-4 is the usual value for CIFAR.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True),
)
param_scheduler = dict(type='CosineAnnealingLR', T_max=100, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=128)
