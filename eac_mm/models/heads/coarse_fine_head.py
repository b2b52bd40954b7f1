"""A head that classifies coarsely and finely, and merges both."""

from collections.abc import Sequence

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from ..labels import single_labels

# Of eac_mm.datasets' order of expressions: surprise; happy; neutral; fear, disgust, sad
# and angry.
GROUPS = ((0,), (3,), (6,), (1, 2, 4, 5))


@MODELS.register_module()
class CoarseFineHead(LinearClsHead):
    """Classify groups of classes, then classes, each from features of its own.

    The teacher's head **in the manner of** KTN (Li, Wang, Ding, Yang, Gao: Adaptively
    Learning Facial Expression Representation via C-F Labels and Distillation, IEEE
    Transactions on Image Processing 2021), whose abstract names a coarse and a fine
    stream with merged outputs. Its groups and how it merges are not public; these are
    ours: the logit of a class is that of the fine classifier plus the logarithm of the
    probability of its group by the coarse one. The loss is the cross-entropy of the
    merged logits with the classes plus that of the coarse ones with the groups.

    Args:
        num_classes: Number of classes.
        in_channels: Channels C of both streams' features.
        groups: The classes of each group; every class stands in one. Defaults to
            :data:`GROUPS`, for seven expressions.
        init_cfg: Initialisation. Defaults to None: ``nn.Linear``'s own.
        **kwargs: Further arguments of MMPretrain's ``LinearClsHead``.

    Raises:
        ValueError: If a class stands in no group or in several.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        groups: Sequence[Sequence[int]] = GROUPS,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, init_cfg=init_cfg, **kwargs)
        group_of = {c: g for g, classes in enumerate(groups) for c in classes}
        listed = sorted(c for classes in groups for c in classes)
        if listed != list(range(num_classes)):
            raise ValueError(
                f'groups={[list(classes) for classes in groups]}: each of the classes '
                f'0 to {num_classes - 1} must stand in one group. Fix: '
                'model.head.groups=[[0],[1,2],...]'
            )
        self.coarse_fc = nn.Linear(in_channels, len(groups))
        group = torch.tensor([group_of[c] for c in listed])
        self.register_buffer('group', group, persistent=False)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the merged logits, (N, num_classes).

        Args:
            feats: Features of the coarse and of the fine stream, each (N, C).
        """
        return self.merge(self.coarse_fc(feats[0]), self.fc(feats[-1]))

    def merge(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Add to the logits of classes the log-probability of their groups.

        Args:
            coarse: Logits of the groups, (N, G).
            fine: Logits of the classes, (N, num_classes).

        Returns:
            float32, (N, num_classes).
        """
        with torch.autocast(fine.device.type, enabled=False):
            return fine.float() + coarse.float().log_softmax(1)[:, self.group]

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """Return ``loss_fine`` of the merged logits and ``loss_coarse``.

        Args:
            feats: Features of the coarse and of the fine stream, each (N, C).
            data_samples: N samples with the noisy labels.
            **kwargs: Further arguments of the classification loss.

        Raises:
            ValueError: If labels are mixed.
        """
        labels = single_labels(
            data_samples,
            'CoarseFineHead needs one label a sample, and batch augmentations mix '
            'them. Fix: no model.train_cfg.augments.',
        )
        losses = super().loss(feats, data_samples, **kwargs)
        losses['loss_fine'] = losses.pop('loss')
        coarse = self.coarse_fc(feats[0])
        with torch.autocast(coarse.device.type, enabled=False):
            losses['loss_coarse'] = nn.functional.cross_entropy(
                coarse.float(), self.group[labels]
            )
        return losses
