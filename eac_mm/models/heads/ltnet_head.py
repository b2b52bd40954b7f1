"""The head of LTNet, which finds the latent truth behind inconsistent labels."""

from collections.abc import Callable, Sequence

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.nn import functional as F

from ..epochs import known_epoch
from ..labels import single_labels


@MODELS.register_module()
class LTNetHead(LinearClsHead):
    """Classify the latent truth, and explain each annotator's labels by a matrix.

    Facial Expression Recognition with Inconsistently Annotated Datasets (Zeng, Shan,
    Chen, ECCV 2018). The linear classifier gives the distribution h of the latent
    truth. Annotator k calls class c by label j with probability T^k_cj. The loss is the
    negative log of the labels' probabilities, sum_c h_c T^k_cj, in the mean over the
    labels of all annotators. In testing it is a plain linear head, of h.

    Each row of T is the softmax of a row of ``confusion``, which starts near the
    identity. In the first ``warmup`` epochs the network learns from the first
    annotator's labels as if they were the truth, and the matrices stand still.

    The annotators are one of two things:

    - the noisy label and, with ``annotators`` above 1, those labels that a sample
      carries as ``annotator_labels`` (:class:`~eac_mm.datasets.AnnotatedLabels`); -1
      is no label. Each has a matrix of its own.
    - with ``votes``, a crowd whose ``votes`` a sample carries, as :class:`FERPlus`
      does: how many people chose each candidate. Nobody knows which of them chose what,
      so they share one matrix. The noisy label is not used. Candidates that are no
      class are labels, too: T says how often a class is called "unknown".

    Args:
        num_classes: Number of classes C.
        in_channels: Channels of the pooled features.
        annotators: Number of annotators K, the noisy label included. Defaults to 1.
        votes: The class of each of J candidates, None for those that are no class.
            Defaults to None: the labels are not votes.
        warmup: Length of the warm-up in epochs. Defaults to 3.
        certainty: What ``confusion`` starts from where the label is the class, 0
            elsewhere. Defaults to 5.0: with seven classes T starts with 0.96 there.
        init_cfg: Initialisation. Defaults to None: ``nn.Linear``'s own.
        **kwargs: Further arguments of MMPretrain's ``LinearClsHead``. ``loss`` is not
            used.

    Attributes:
        epoch: Set by a :class:`~eac_mm.engine.CurrentEpochHook`, which training needs
            and every recipe has.
        recorder: Called with the logits of h, if a
            :class:`~eac_mm.engine.TrainingRecorderHook` records; else None.

    Raises:
        ValueError: If there is no annotator, votes come with further annotators, or a
            class has no candidate.
    """

    epoch: int | None = None
    recorder: Callable[..., None] | None = None

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        annotators: int = 1,
        votes: Sequence[int | None] | None = None,
        warmup: int = 3,
        certainty: float = 5.0,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(
            num_classes=num_classes,
            in_channels=in_channels,
            init_cfg=init_cfg,
            **kwargs,
        )
        check_annotators(num_classes, annotators, votes)
        self.annotators, self.votes, self.warmup = annotators, votes, warmup
        classes = range(num_classes) if votes is None else votes
        # Of each label: its class, and whether it has one.
        named = torch.tensor([-1 if label is None else label for label in classes])
        self.register_buffer('named', named.clamp(min=0), persistent=False)
        self.register_buffer('is_class', (named >= 0).float(), persistent=False)
        start = certainty * (named == torch.arange(num_classes)[:, None]).float()
        self.confusion = nn.Parameter(start.repeat(annotators, 1, 1))

    def matrices(self) -> Tensor:
        """Return the annotators' matrices T, float32 (K, C, J); rows sum to 1."""
        return self.confusion.float().softmax(2)

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """Return the mean negative log probability of all labels.

        Args:
            feats: Pooled features, the last (N, in_channels).
            data_samples: N samples with the labels.
            **kwargs: Not used.

        Returns:
            ``loss``; it is 0 if no sample has a label. Accuracies of h against the
            noisy label too, if ``cal_acc`` is set.

        Raises:
            ValueError: If samples lack labels or carry mixed ones, or the epoch is not
                known.
        """
        logits = self(feats)
        counts = self.count_labels(data_samples).to(logits.device, non_blocking=True)
        # Products of small probabilities need logarithms in float32.
        with torch.autocast(logits.device.type, enabled=False):
            truth = logits.float().log_softmax(1)
            if self.is_warming_up():
                counts = counts[:, :1] * self.is_class
                said = truth[:, None, self.named]
                # So that several processes find a gradient, of 0, for each matrix.
                said = said + 0 * self.confusion.float().sum()
            else:
                matrices = self.confusion.float().log_softmax(2)
                said = (truth[:, None, :, None] + matrices).logsumexp(2)
            loss = -(counts * said).sum() / counts.sum().clamp(min=1)
        losses = dict(loss=loss)
        if self.cal_acc:
            with torch.no_grad():
                told = self._get_loss(logits, data_samples)
            losses.update({k: v for k, v in told.items() if k != 'loss'})
        if self.recorder is not None:
            self.recorder(logits=[logits])
        return losses

    def is_warming_up(self) -> bool:
        """Tell whether the matrices stand still.

        Raises:
            ValueError: If nothing has told the epoch.
        """
        return known_epoch(self, 'model.head.epoch') < self.warmup

    def count_labels(self, data_samples: list[DataSample]) -> Tensor:
        """Return how often each annotator gave each label, float32 (N, K, J).

        Raises:
            ValueError: If samples lack labels, or carry mixed ones.
        """
        labels = single_labels(
            data_samples,
            'LTNetHead takes labels of annotators, and batch augmentations mix them. '
            'Fix: no model.train_cfg.augments.',
        )
        if self.votes is not None:
            refuse_noise(data_samples, labels)
            return torch.tensor([[votes_of(s, len(self.votes))] for s in data_samples])
        labels = labels[:, None]
        if self.annotators > 1:
            further = [further_labels(s, self.annotators - 1) for s in data_samples]
            further = torch.tensor(further).to(labels.device, non_blocking=True)
            labels = torch.cat([labels, further], 1)
        counts = F.one_hot(labels.clamp(min=0), self.num_classes)
        return counts.float() * (labels >= 0)[..., None]


def check_annotators(
    num_classes: int, annotators: int, votes: Sequence[int | None] | None
) -> None:
    """Check the arguments that say who has annotated.

    Raises:
        ValueError: If there is no annotator, votes come with further annotators, or a
            class has no candidate.
    """
    if annotators < 1:
        raise ValueError(
            f'annotators={annotators}: the noisy label counts as one. Fix: '
            'model.head.annotators=1, or 1 more than AnnotatedLabels has files.'
        )
    if votes is None:
        return
    if annotators > 1:
        raise ValueError(
            f'votes are of one crowd, and annotators={annotators}. Fix: '
            'model.head.annotators=1.'
        )
    lacking = set(range(num_classes)) - set(votes)
    strange = set(votes) - set(range(num_classes)) - {None}
    if lacking or strange:
        raise ValueError(
            f'votes={tuple(votes)} must name each of the classes 0 to '
            f'{num_classes - 1} once or more, and beside them None alone. Fix: give '
            'the class of each candidate, None for those that are no class.'
        )


def refuse_noise(data_samples: list[DataSample], labels: Tensor) -> None:
    """Refuse noisy labels beside votes, which would tell the clean ones.

    Raises:
        ValueError: If the label of a sample is not its clean one.
    """
    clean = [sample.get('clean_label') for sample in data_samples]
    if None not in clean and not torch.equal(labels.cpu(), torch.tensor(clean)):
        raise ValueError(
            'votes tell the clean labels, and the labels have noise: a comparison '
            'would be unfair. Fix: train_dataloader.dataset.rate=0.0'
        )


def votes_of(sample: DataSample, candidates: int) -> list[float]:
    """Return the votes of a sample.

    Raises:
        ValueError: If it has none, or of another length.
    """
    votes = sample.get('votes')
    if votes is None or len(votes) != candidates:
        raise ValueError(
            f'LTNetHead learns from {candidates} vote counts, and a sample carries '
            f'{votes}. Fix: a data set with votes such as FERPlus, and '
            'model.head.votes with the class of each candidate.'
        )
    return [float(vote) for vote in votes]


def further_labels(sample: DataSample, number: int) -> Sequence[int]:
    """Return the labels of a sample's annotators beside the noisy one.

    Raises:
        ValueError: If it does not have that many.
    """
    labels = sample.get('annotator_labels', ())
    if len(labels) != number:
        raise ValueError(
            f'LTNetHead has {number + 1} annotators, and a sample carries the noisy '
            f'label and {len(labels)} more. Fix: train_dataloader.dataset.type='
            f"'AnnotatedLabels' with {number} files in annotators, or "
            f'model.head.annotators={len(labels) + 1}.'
        )
    return labels
