# See resnet50_vggface2_eac.py.
_base_ = 'resnet18_baseline.py'

model = dict(backbone=dict(type='CaffeResNet', depth=50), head=dict(in_channels=2048))
