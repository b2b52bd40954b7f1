"""The head of DMUE: one target branch, and an auxiliary branch for each class."""

from collections.abc import Callable, Sequence

import torch
from mmpretrain.models.heads import ClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.nn import functional as F

from ..epochs import known_epoch
from ..labels import single_labels
from ..losses import dmue


@MODELS.register_module()
class DMUEHead(ClsHead):
    """Learn from soft labels that auxiliary branches give, and from sure samples more.

    Dive into Ambiguity: Latent Distribution Mining and Pairwise Uncertainty Estimation
    for Facial Expression Recognition (She, Hu, Shi, Wang, Shen, Mei, CVPR 2021).
    Auxiliary branch i learns from the samples of all classes but i. Of a sample of
    class i it says what else the sample could be: the soft label of the target
    branch. How alike a sample is to each class of the batch gives its confidence,
    which scales its logits. :mod:`eac_mm.models.losses.dmue` has the terms.

    Unlike in the authors' code, the network that gives the confidence is trained, a
    batch may lack classes, and only the target branch moves the running statistics that
    it is tested with. In testing the target branch alone runs.

    It is the head of a :class:`DMUEClassifier`, which has the branches.

    Args:
        num_classes: Number of classes C, 2 or more.
        in_channels: Channels D of the pooled features.
        turning_point: Epoch at which the target branch's losses have their full weight
            and that of the auxiliary ones begins to fall, more than 0. Defaults to 10.
        temperature: Of the soft labels. Defaults to 1.2.
        soft_weight: Weight of the soft labels' loss. Defaults to 0.5.
        similarity_weight: Weight of the similarity preserving loss. Defaults to 1000.
        dropout: Probability that a feature is dropped before it is classified.
            Defaults to 0.5.
        init_cfg: Initialisation. Defaults to None: of the classifiers normal with std
            0.001, as in the authors' code, and PyTorch's own elsewhere.
        **kwargs: Further arguments of MMPretrain's ``ClsHead``.

    Attributes:
        epoch: Set by a :class:`~eac_mm.engine.CurrentEpochHook`, which training needs
            and every recipe has.
        recorder: Called with the target branch's logits, if a
            :class:`~eac_mm.engine.TrainingRecorderHook` records; else None.

    Raises:
        ValueError: If there are fewer than two classes, or the turning point is not
            above 0.
    """

    epoch: int | None = None
    recorder: Callable[..., None] | None = None

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        turning_point: float = 10,
        temperature: float = 1.2,
        soft_weight: float = 0.5,
        similarity_weight: float = 1000.0,
        dropout: float = 0.5,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(init_cfg=init_cfg, **kwargs)
        if num_classes < 2 or turning_point <= 0 or temperature <= 0:
            raise ValueError(
                f'num_classes={num_classes}, turning_point={turning_point} and '
                f'temperature={temperature}: allowed are 2 classes or more, an epoch '
                'above 0, and above 0. Fix: model.head.turning_point=10 '
                'model.head.temperature=1.2'
            )
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.turning_point = turning_point
        self.temperature = temperature
        self.soft_weight = soft_weight
        self.similarity_weight = similarity_weight
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.BatchNorm1d(in_channels)  # of all branches
        self.norm.bias.requires_grad_(False)
        self.fc = nn.Linear(in_channels, num_classes, bias=False)
        self.auxiliary = nn.ModuleList(
            nn.Linear(in_channels, num_classes - 1, bias=False)
            for _ in range(num_classes)
        )
        for classifier in (self.fc, *self.auxiliary):
            nn.init.normal_(classifier.weight, std=0.001)
        self.confidence = nn.Sequential(
            nn.Linear(2 * num_classes, num_classes),
            nn.PReLU(),
            nn.Linear(num_classes, 1),
            nn.Sigmoid(),
        )

    def pre_logits(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the normalised features of the target branch, (N, D)."""
        return self.norm(feats[-1])

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the logits of the target branch, (N, C)."""
        return self.fc(self.pre_logits(feats))

    def loss(
        self,
        feats: tuple[Tensor, ...],
        data_samples: list[DataSample],
        branch_feats: Sequence[Tensor],
        **kwargs,
    ) -> dict[str, Tensor]:
        """Return the four terms, weighted, whose sum is trained on.

        With several processes, each compares its own samples.

        Args:
            feats: Pooled features of the target branch, the last (N, D).
            data_samples: N samples with the noisy labels.
            branch_feats: Pooled features of each auxiliary branch, C of (N, D).
            **kwargs: Further arguments of the classification loss.

        Returns:
            ``loss_target``, ``loss_soft``, ``loss_similarity`` and
            ``loss_auxiliary``; accuracies too, if ``cal_acc`` is set.

        Raises:
            ValueError: If labels are mixed, or the epoch is not known.
        """
        epoch = known_epoch(self, 'model.head.epoch')
        labels = single_labels(
            data_samples,
            'DMUEHead needs one label a sample, and batch augmentations mix them. Fix: '
            'no model.train_cfg.augments.',
        )
        features = self.normalise(self.dropout(feats[-1]), update=True)
        logits = self.fc(features)
        auxiliary = self.classify_branches([self.dropout(f) for f in branch_feats])
        with torch.no_grad():
            asked = self.classify_branches(branch_feats)
        up = dmue.ramp_up(epoch, self.turning_point)
        down = dmue.ramp_down(epoch, self.turning_point)
        # Norms, exponentials and small differences are taken in float32.
        with torch.autocast(logits.device.type, enabled=False):
            exact, auxiliary = logits.float(), auxiliary.float()
            soft = dmue.soft_labels(asked.float(), labels, self.temperature)
            score = self.score(feats[-1].float(), labels)
            losses = self._get_loss(score * exact, data_samples, **kwargs)
            target = losses.pop('loss')
            similarity = dmue.similarity_loss(auxiliary, features.float(), labels)
            losses.update(
                loss_target=up * target,
                loss_soft=up * self.soft_weight * dmue.soft_loss(exact, soft, labels),
                loss_similarity=up * self.similarity_weight * similarity,
                loss_auxiliary=down * dmue.auxiliary_loss(auxiliary, labels),
            )
        if self.recorder is not None:
            self.recorder(logits=[logits])
        return losses

    def score(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the confidence in each sample, float32 (N, 1), from 0 to 1.

        Args:
            features: Pooled features of the target branch, float32 (N, D).
            labels: (N,).
        """
        alike = dmue.class_similarity(features, labels, self.num_classes)
        given = F.one_hot(labels, self.num_classes).float()
        return self.confidence(torch.cat([alike, given], 1))

    def classify_branches(self, branch_feats: Sequence[Tensor]) -> Tensor:
        """Return the logits of the auxiliary branches, (C, N, C - 1)."""
        pairs = zip(self.auxiliary, branch_feats, strict=True)
        return torch.stack([classify(self.normalise(f)) for classify, f in pairs])

    def normalise(self, features: Tensor, update: bool = False) -> Tensor:
        """Normalise features (N, D) by their batch.

        One sample has no statistics of a batch: the running ones take their place.

        Args:
            features: The features of a branch.
            update: Move the running statistics. Defaults to False.
        """
        norm = self.norm
        alone = len(features) < 2
        if update and not alone:
            return norm(features)
        running = (norm.running_mean, norm.running_var) if alone else (None, None)
        return F.batch_norm(
            features, *running, norm.weight, norm.bias, not alone, eps=norm.eps
        )
