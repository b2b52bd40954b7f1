"""Attention maps and their consistency under a flip (EAC, Eq. 1 and 3)."""

import torch
from mmpretrain.registry import MODELS
from torch import Tensor, nn

DISTANCES = ('mse', 'l2')


def attention_maps(features: Tensor, weight: Tensor) -> Tensor:
    r"""Class activation maps of every class, Eq. 1.

    .. math::
        \mathbf{M}_j(h, w) = \sum_c \mathbf{W}(j, c)\, \mathbf{F}_c(h, w)

    Args:
        features: Feature maps F of the last convolution, (N, C, H, W).
        weight: Weight W of the linear classifier, (L, C).

    Returns:
        Attention maps M, (N, L, H, W).
    """
    return torch.einsum('nchw,lc->nlhw', features, weight)


@MODELS.register_module()
class AttentionConsistencyLoss(nn.Module):
    r"""Distance between attention maps and the flipped maps of flipped images.

    `Learn From All: Erasing Attention Consistency for Noisy Label Facial
    Expression Recognition <https://arxiv.org/abs/2207.10299>`_, Eq. 3:

    .. math::
        l_c = \frac{1}{NLHW} \sum_{i=1}^N \sum_{j=1}^L
        d(\mathbf{M}_{ij}, \mathrm{Flip}(\mathbf{M}')_{ij})

    Args:
        distance: ``'mse'`` sums squared differences over the map, as the
            authors' code does and as its weight of 5 belongs to; ``'l2'`` takes
            the unsquared norm of the map, as Eq. 3 is printed. Defaults to
            ``'mse'``.

    Shape:
        - maps, flipped_maps: (N, L, H, W)
        - output: scalar

    Raises:
        ValueError: For an unknown distance or maps of different shapes.
    """

    def __init__(self, distance: str = 'mse') -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise ValueError(f'distance={distance!r}: choose one of {DISTANCES}.')
        self.distance = distance

    def forward(self, maps: Tensor, flipped_maps: Tensor) -> Tensor:
        """Compare ``maps`` with ``flipped_maps`` flipped back."""
        if maps.shape != flipped_maps.shape:
            raise ValueError(
                'the attention maps of the two views differ in shape: '
                f'{tuple(maps.shape)} and {tuple(flipped_maps.shape)}.'
            )
        difference = maps - flipped_maps.flip(-1)
        if self.distance == 'mse':
            return difference.square().mean()
        norms = torch.linalg.vector_norm(difference, dim=(-2, -1))
        return norms.sum() / difference.numel()

    def extra_repr(self) -> str:
        """The distance, for ``repr``."""
        return f'distance={self.distance!r}'
