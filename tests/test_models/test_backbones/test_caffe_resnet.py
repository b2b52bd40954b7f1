import pytest
import torch
from mmpretrain.registry import MODELS
from torch import nn
from torch.nn import functional as F

from eac_mm.models import CaffeResNet

CAFFE = 'CaffeResNet'


def norm(x, weights, name):
    parts = ('running_mean', 'running_var', 'weight', 'bias')
    return F.batch_norm(x, *(weights[f'{name}.{part}'] for part in parts))


def bottleneck(x, weights, name, stride):
    y = F.conv2d(x, weights[f'{name}.conv1.weight'], stride=stride)
    y = norm(y, weights, f'{name}.bn1').relu()
    y = F.conv2d(y, weights[f'{name}.conv2.weight'], padding=1)
    y = norm(y, weights, f'{name}.bn2').relu()
    y = norm(F.conv2d(y, weights[f'{name}.conv3.weight']), weights, f'{name}.bn3')
    if f'{name}.downsample.0.weight' in weights:
        x = F.conv2d(x, weights[f'{name}.downsample.0.weight'], stride=stride)
        x = norm(x, weights, f'{name}.downsample.1')
    return (x + y).relu()


def caffe_resnet50(x, weights):
    """ResNet-50 as Caffe computes it, from torchvision's names, without modules."""
    x = F.conv2d(x, weights['conv1.weight'], stride=2, padding=3)
    x = norm(x, weights, 'bn1').relu()
    # Caffe's pooling: no padding, and as many windows as start within the image.
    height, width = (1 + -(-(size - 3) // 2) for size in x.shape[2:])
    x = F.pad(x, (0, 1, 0, 1), value=-torch.inf)
    x = F.max_pool2d(x, 3, 2)[..., :height, :width]
    for stage, blocks in enumerate((3, 4, 6, 3), start=1):
        for i in range(blocks):
            stride = 2 if stage > 1 and i == 0 else 1
            x = bottleneck(x, weights, f'layer{stage}.{i}', stride)
    return x


def randomise_norms(model):
    generator = torch.Generator().manual_seed(3)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value, low in (
                (module.running_mean, -0.2),
                (module.running_var, 0.6),
                (module.weight.data, 0.4),
                (module.bias.data, -0.2),
            ):
                value.uniform_(low, low + 0.5, generator=generator)
    model.eval()  # MMPretrain's ResNet returns nothing here
    return model


@pytest.mark.parametrize('size', [(64, 64), (65, 47)])
def test_it_computes_what_caffe_does(size):
    torch.manual_seed(0)
    model = randomise_norms(MODELS.build(dict(type=CAFFE, depth=50)))
    x = torch.randn(2, 3, *size)
    with torch.no_grad():
        expected = caffe_resnet50(x, model.state_dict())
        torch.testing.assert_close(model(x)[0], expected, rtol=1e-5, atol=1e-5)
        usual = MODELS.build(dict(type='ResNet', depth=50, style='caffe'))
        usual.eval()
        usual.load_state_dict(model.state_dict())
        other = usual(x)[0]
    if other.shape == expected.shape:
        assert (other - expected).abs().max() > 1e-3 * expected.abs().max()


def test_it_differs_from_resnet_in_stride_and_pool_only():
    model = CaffeResNet(50)
    usual = MODELS.build(dict(type='ResNet', depth=50))
    assert list(model.state_dict()) == list(usual.state_dict())
    assert model.layer2[0].conv1.stride == (2, 2)
    assert model.layer2[0].conv2.stride == (1, 1)
    pool = model.maxpool
    settings = (pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode)
    assert settings == (3, 2, 0, True)


def test_the_map_of_224_pixels_is_7_by_7():
    with torch.no_grad():
        maps = CaffeResNet(18)(torch.zeros(1, 3, 224, 224))[0]
    assert maps.shape == (1, 512, 7, 7)


def test_options_of_resnet_are_kept():
    model = CaffeResNet(18, stem_channels=8, base_channels=8, frozen_stages=1)
    assert model.layer4[-1].bn2.weight.shape == (64,)
    assert not any(p.requires_grad for p in model.layer1.parameters())
    assert CaffeResNet(50, style='pytorch').layer2[0].conv1.stride == (1, 1)
