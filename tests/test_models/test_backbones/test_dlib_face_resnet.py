import pytest
import torch
from torch.nn import functional as F

from eac_mm.models import DlibFaceResNet
from eac_mm.models.backbones.dlib_face_resnet import (
    DlibBlock,
    convolutions,
    norms,
    set_affine,
)


@pytest.mark.parametrize(
    ('stages', 'dense', 'side', 'shape'),
    [
        # 150: 72 and 35 after the stem, then 17 (average 2x2), 8 (15 // 2 + 1), 4, 2
        (5, False, 150, (256, 2, 2)),
        (4, False, 150, (256, 4, 4)),
        (3, False, 150, (128, 8, 8)),
        (2, False, 150, (64, 17, 17)),
        (1, False, 150, (32, 35, 35)),
        (4, False, 112, (256, 3, 3)),
        (4, True, 112, (256, 6, 6)),
        (4, False, 96, (256, 2, 2)),
        (4, True, 96, (256, 5, 5)),
        (4, False, 224, (256, 6, 6)),
        (4, True, 224, (256, 13, 13)),
    ],
)
def test_shapes(stages, dense, side, shape):
    backbone = DlibFaceResNet(num_stages=stages, dense=dense).eval()
    (features,) = backbone(torch.zeros(1, 3, side, side))
    assert features.shape == (1, *shape)


def test_number_of_weights():
    # Convolutions alone, as published: 5,581,824 with affine layers of 2 x channels
    backbone = DlibFaceResNet(num_stages=5)
    weights = sum(conv.weight.numel() for conv in convolutions(backbone))
    affine = sum(2 * norm.num_features for norm in norms(backbone))
    biases = sum(norm.num_features for norm in norms(backbone))
    assert weights + affine + biases == 5_581_824


def test_a_block_pads_the_smaller_side_with_zeros():
    block = DlibBlock(1, 2, down=True).eval()
    for conv in (block.conv1, block.conv2):
        torch.nn.init.zeros_(conv.weight)
    # The skip alone: an average of 2x2; the second channel has none.
    x = torch.arange(36.0).reshape(1, 1, 6, 6)
    out = block(x)
    assert out.shape == (1, 2, 3, 3)
    torch.testing.assert_close(out[:, :1], F.avg_pool2d(x, 2))
    assert not out[:, 1].any()
    # The convolution alone: the sum of 3x3, twice; 2x2 values, padded to 3x3.
    torch.nn.init.constant_(block.conv1.weight[:1], 1)
    torch.nn.init.constant_(block.conv2.weight[1, 0, 1, 1], 1)
    ones = torch.ones(1, 1, 6, 6)
    factor = 1 / (1 + block.bn1.eps)  # of two norms in evaluation mode
    want = torch.tensor([[9.0, 9, 0], [9, 9, 0], [0, 0, 0]]) * factor
    torch.testing.assert_close(block(ones)[0, 1], want)


def test_a_dense_block_has_the_values_of_the_one_that_halves():
    torch.manual_seed(0)
    halves = DlibBlock(3, 4, down=True).eval()
    dense = DlibBlock(3, 4, down=True, dense=True, dilation=2).eval()
    dense.load_state_dict(halves.state_dict())
    x = torch.randn(2, 3, 13, 13)
    # An odd side, on which no value of the halving block is a padded zero.
    torch.testing.assert_close(
        dense(x)[:, :, 0:9:2, 0:9:2], halves(x)[:, :, :5, :5], rtol=1e-5, atol=1e-6
    )


def test_set_affine_in_evaluation_mode():
    torch.manual_seed(0)
    norm = torch.nn.BatchNorm2d(3).eval()
    norm.running_mean.copy_(torch.tensor([1.0, -2, 3]))
    norm.running_var.copy_(torch.tensor([0.5, 4, 9]))
    gamma, beta = torch.tensor([2.0, -1, 0.5]), torch.tensor([0.0, 1, -7])
    set_affine(norm, gamma, beta)
    x = torch.randn(2, 3, 4, 4)
    want = gamma.view(3, 1, 1) * x + beta.view(3, 1, 1)
    torch.testing.assert_close(norm(x), want, rtol=1e-5, atol=1e-5)


def test_frozen_stages_learn_nothing():
    backbone = DlibFaceResNet(num_stages=2, frozen_stages=1).train()
    assert not backbone.bn1.training and not backbone.stages[0][0].bn1.training
    assert backbone.stages[1][0].bn1.training
    before = backbone.bn1.running_mean.clone()
    backbone(torch.randn(2, 3, 64, 64))[0].mean().backward()
    assert torch.equal(backbone.bn1.running_mean, before)
    assert backbone.conv1.weight.grad is None
    assert backbone.stages[1][0].conv1.weight.grad is not None


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_stages=6), r'num_stages=6: the network has 1 to 5.*Fix'),
        (dict(num_stages=0), 'num_stages=0'),
        (dict(num_stages=2, frozen_stages=3), r'frozen_stages=3: allowed are -1'),
    ],
)
def test_what_does_not_exist(settings, message):
    with pytest.raises(ValueError, match=message):
        DlibFaceResNet(**settings)
