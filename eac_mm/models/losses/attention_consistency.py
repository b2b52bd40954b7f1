"""Attention maps and their consistency under a transform (EAC, Eq. 1 and 3)."""

import torch
from mmpretrain.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

DISTANCES = ('mse', 'l2')


def attention_maps(features: Tensor, weight: Tensor) -> Tensor:
    r"""Return the class activation maps of every class, Eq. 1.

    .. math::
        \mathbf{M}_j(h, w) = \sum_c \mathbf{W}(j, c)\, \mathbf{F}_c(h, w)

    Args:
        features: Feature maps F before pooling, (N, C, H, W).
        weight: Weight W of the linear classifier, (L, C).

    Returns:
        Attention maps M, (N, L, H, W).
    """
    return torch.einsum('nchw,lc->nlhw', features, weight)


@MODELS.register_module()
class AttentionConsistencyLoss(nn.Module):
    r"""Compare attention maps with those of transformed images.

    `Learn From All: Erasing Attention Consistency for Noisy Label Facial
    Expression Recognition <https://arxiv.org/abs/2207.10299>`_, Eq. 3:

    .. math::
        l_c = \frac{1}{NLHW} \sum_{i=1}^N \sum_{j=1}^L
        d(\mathbf{M}_{ij}, \mathrm{Flip}(\mathbf{M}')_{ij})

    Transforms other than the flip are given as matrices. M is then transformed as the
    images were, with bilinear interpolation, after `Visual Attention Consistency
    Under Image Transforms for Multi-Label Image Classification
    <https://openaccess.thecvf.com/content_CVPR_2019/html/Guo_Visual_Attention_Consistency_Under_Image_Transforms_for_Multi-Label_Image_Classification_CVPR_2019_paper.html>`_.
    Cells of the transformed image that lie outside the first one count as equal. CUDA
    has no deterministic gradient of the interpolation:
    ``randomness.deterministic=True`` raises there.

    Args:
        distance: ``'mse'`` sums squared differences over the map, as the
            authors' code does (the weight of 5 is for this one); ``'l2'`` takes the
            unsquared norm of the map, as Eq. 3 is printed. Defaults to ``'mse'``.

    Shape:
        - maps, transformed_maps: (N, L, H, W)
        - affine: (N, 2, 3), optional
        - output: scalar

    Raises:
        ValueError: If the distance is unknown, the maps differ in shape or have a
            single column, or there is not one matrix a sample.
    """

    def __init__(self, distance: str = 'mse') -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise ValueError(f'distance={distance!r}. Fix: choose one of {DISTANCES}.')
        self.distance = distance

    def forward(
        self, maps: Tensor, transformed_maps: Tensor, affine: Tensor | None = None
    ) -> Tensor:
        """Compare the maps of images with those of the transformed images.

        Args:
            maps: Attention maps of the images.
            transformed_maps: Attention maps of the transformed images.
            affine: For each point of the transformed image, where it lies in the
                image: ``theta`` of ``torch.nn.functional.affine_grid`` with
                ``align_corners=False``. Defaults to None: the flip.
        """
        difference = self._difference(maps, transformed_maps, affine)
        if self.distance == 'mse':
            return difference.square().mean()
        norms = torch.linalg.vector_norm(difference, dim=(-2, -1))
        return norms.sum() / difference.numel()

    @torch.no_grad()
    def by_sample(
        self, maps: Tensor, transformed_maps: Tensor, affine: Tensor | None = None
    ) -> Tensor:
        """Return the value of each sample, (N,), without gradient.

        Its mean is what ``forward`` returns for the same arguments.
        """
        difference = self._difference(maps, transformed_maps, affine)
        if self.distance == 'mse':
            return difference.square().mean((1, 2, 3))
        norms = torch.linalg.vector_norm(difference, dim=(-2, -1))
        return norms.sum(1) / difference[0].numel()

    def _difference(
        self, maps: Tensor, transformed_maps: Tensor, affine: Tensor | None
    ) -> Tensor:
        if maps.shape != transformed_maps.shape:
            raise ValueError(
                'the attention maps of the two views differ in shape: '
                f'{tuple(maps.shape)} and {tuple(transformed_maps.shape)}. Fix: give '
                'both views the same size in the training pipeline.'
            )
        if maps.shape[-1] < 2:
            raise ValueError(
                f'the images are too small: the last feature map is '
                f'{maps.shape[-2]} x {maps.shape[-1]}, and the flip of one column is '
                'that column. Fix: Resize to a larger scale in the pipelines.'
            )
        if affine is None:
            return maps - transformed_maps.flip(-1)
        return self._affine_difference(maps, transformed_maps, affine)

    @staticmethod
    def _affine_difference(
        maps: Tensor, transformed_maps: Tensor, affine: Tensor
    ) -> Tensor:
        if affine.shape != (len(maps), 2, 3):
            raise ValueError(
                f'view_affine of shape {tuple(affine.shape)}. Fix: give one 2 x 3 '
                f'matrix a sample, ({len(maps)}, 2, 3).'
            )
        grid = F.affine_grid(affine.to(maps), list(maps.shape), align_corners=False)
        # Beyond the centres of the outermost cells there is no neighbour to
        # interpolate with: take the outermost cell.
        sampled = F.grid_sample(maps, grid, padding_mode='border', align_corners=False)
        inside = (grid.abs() <= 1).all(-1).unsqueeze(1)
        return (sampled - transformed_maps) * inside

    def extra_repr(self) -> str:
        """Return the distance for ``repr``."""
        return f'distance={self.distance!r}'
