"""DivideMix."""

import warnings
from typing import Any

import numpy as np
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.nn import functional as F

from ..sample_state import SampleState
from .two_networks import (
    TINY,
    TwoNetworkClassifier,
    mean_probability,
    noisy_labels,
)

BETA = 4.0  # of the mixing
SHARPNESS = 2.0  # 1 / T


@MODELS.register_module()
class DivideMix(TwoNetworkClassifier):
    """Learn from probably wrong labels as from images without labels.

    `DivideMix: Learning with Noisy Labels as Semi-supervised Learning
    <https://arxiv.org/abs/2002.07394>`_. At the start of each epoch, a mixture of two
    normal distributions is fitted to the losses of all training samples under each
    network. A sample of the smaller mean is probably clean, w is how probably. Each
    network trains with the w of the other one: samples of w > 0.5 on a mean of label
    and prediction, the others on predictions of both networks alone, all mixed with
    one another. The first epochs are plain cross-entropy on view 1.

    The losses that the mixture is fitted to are those of the epoch before, by the
    networks as they were when they predicted the sample; so no pass over the training
    set of its own is needed. Labels, losses and w are buffers by ``sample_idx``, in the
    checkpoint, the same on all processes.

    The paper's class balance compares the mean prediction with equally frequent
    classes. Here it is compared with the frequencies of the given labels, which are
    nearly equal where the paper's are, each sample counted once. Without it networks
    may give up rare classes: all labels of such a class are judged to be wrong, and
    none is learned any more.

    Args:
        warm_up: Epochs of cross-entropy, 1 or more; they should end before the networks
            memorise.
        unlabelled_weight: Weight of the loss on samples that count as unlabelled.
            Defaults to 25.0.
        ramp_epochs: Epochs after the warm-up in which that weight rises from 0.
            Defaults to 16.
        balance: Weight of the divergence of the mean prediction from the frequencies of
            the classes. Defaults to 1.0.
        **kwargs: Of
            :class:`~eac_mm.models.classifiers.two_networks.TwoNetworkClassifier`.

    Raises:
        ValueError: If a setting is out of range, there are not two views, or samples
            are mixed already.
    """

    # Both networks train on both views, and guess them without gradient, which takes
    # a third of the time.
    passes = 4 + 4 / 3

    def __init__(
        self,
        *args: Any,
        warm_up: int,
        unlabelled_weight: float = 25.0,
        ramp_epochs: float = 16,
        balance: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if warm_up < 1:
            raise ValueError(
                f'warm_up={warm_up}: the networks must have learned from all labels '
                'once. Fix: model.warm_up=1 or more.'
            )
        weights = dict(unlabelled_weight=unlabelled_weight, balance=balance)
        for name, value in weights.items():
            if value < 0:
                raise ValueError(f'{name}={value}. Fix: give 0 or more.')
        if ramp_epochs <= 0:
            raise ValueError(f'ramp_epochs={ramp_epochs}. Fix: give more than 0.')
        self.warm_up, self.ramp_epochs = warm_up, ramp_epochs
        self.unlabelled_weight, self.balance = unlabelled_weight, balance
        self.losses = SampleState((2,), fill=torch.nan)
        self.clean = SampleState((2,), fill=1)
        self.labels = SampleState(dtype=torch.int64, fill=-1)
        # The epoch whose samples are judged, from 0. A resumed run goes on with w.
        self.register_buffer('divided', torch.tensor(-1))
        self._divided: int | None = None  # the same, without waiting for the device
        self._frequencies: Tensor | None = None  # of the labels, (C,)

    def loss(
        self, inputs: list[Tensor], data_samples: list[DataSample]
    ) -> dict[str, Tensor]:
        """Return the losses of both networks.

        Args:
            inputs: Two views, each (N, 3, H, W).
            data_samples: N samples with the noisy labels.
        """
        if not isinstance(inputs, list | tuple) or len(inputs) != 2:
            raise ValueError(
                'DivideMix trains on two views of each image and got one. Fix: '
                'pipeline=_base_.pair_pipeline in the recipe.'
            )
        labels = noisy_labels(data_samples)
        indices = self.losses.indices(data_samples)
        self.labels.write(indices, labels)
        if self.losses.epoch < self.warm_up:
            return self._warm_up(inputs[0], labels, indices)
        self._divide()
        guesses = self._guess(inputs, labels, indices)
        images = torch.cat(list(inputs))
        found = {}
        for number, name in enumerate(('first', 'second')):
            clean = self.clean.read(indices)[:, 1 - number]
            targets = refine(guesses, number, labels, clean)
            found |= self._mixed_losses(number, name, images, targets, clean > 0.5)
        return found

    def _warm_up(
        self, images: Tensor, labels: Tensor, indices: Tensor
    ) -> dict[str, Tensor]:
        """Train on the labels, and remember the losses."""
        logits = self.logits_of_both(images)
        if self.recorder is not None:
            self.recorder(logits=logits[:1])
        losses = self.losses_by_sample(logits, labels)
        self.losses.write(indices, torch.stack(losses, 1).detach())
        return dict(loss_first=losses[0].mean(), loss_second=losses[1].mean())

    def _divide(self) -> None:
        """Settle once an epoch which labels are right, and how frequent classes are."""
        if self._divided == self.losses.epoch:
            return
        self._divided = self.losses.epoch
        if self.divided.item() != self._divided:
            self.divided.fill_(self._divided)
            losses = self.losses.values.cpu().numpy()
            clean = np.stack([clean_probability(column) for column in losses.T], 1)
            self.clean.values.copy_(torch.from_numpy(clean))
        known = self.labels.values[self.labels.values >= 0]
        counts = torch.bincount(known, minlength=self.head.num_classes)
        self._frequencies = counts / len(known)

    @torch.no_grad()
    def _guess(
        self, views: list[Tensor], labels: Tensor, indices: Tensor
    ) -> list[Tensor]:
        """Predict all views by both networks, and remember the losses.

        They predict in training mode. So the running statistics, which are tested
        with, hold of images as they are, too, and not of mixed ones alone.

        Returns:
            Mean probabilities of both views, (N, C), of each network.
        """
        logits = [self.logits_of_both(view) for view in views]
        # Older versions of PyTorch keep the weights that autocast has cast without
        # gradient, and take them again in training: they would learn nothing.
        torch.clear_autocast_cache()
        if self.recorder is not None:
            self.recorder(logits=[view[0] for view in logits])
        losses = [torch.stack(self.losses_by_sample(v, labels), 1) for v in logits]
        self.losses.write(indices, torch.stack(losses).mean(0))
        return [mean_probability([v[k] for v in logits]) for k in (0, 1)]

    def _mixed_losses(
        self,
        number: int,
        name: str,
        images: Tensor,
        targets: Tensor,
        labelled: Tensor,
    ) -> dict[str, Tensor]:
        """Mix the samples of both views, and return the losses of one network.

        Args:
            number: Network 0 or 1.
            name: Name of its losses.
            images: All of view 1, then all of view 2, (2N, 3, H, W).
            targets: Distributions, (N, C).
            labelled: Which samples count as labelled, (N,).
        """
        share = np.random.beta(BETA, BETA)
        share = max(share, 1 - share)
        partner = torch.randperm(len(images)).to(images.device)
        targets, labelled = targets.repeat(2, 1), labelled.repeat(2).float()
        images = share * images + (1 - share) * images[partner]
        targets = share * targets + (1 - share) * targets[partner]
        logits = self.logits_of(number, images)
        with torch.autocast(images.device.type, enabled=False):
            log_p = logits.float().log_softmax(1)
            on_labels = weighted_mean(-(targets * log_p).sum(1), labelled)
            squares = (log_p.exp() - targets).square().mean(1)
            on_guesses = weighted_mean(squares, 1 - labelled)
            losses = {f'loss_{name}': on_labels}
            epoch = self.losses.epoch - self.warm_up
            weight = self.unlabelled_weight * min(1.0, epoch / self.ramp_epochs)
            losses[f'loss_unlabelled_{name}'] = weight * on_guesses
            if self.balance:
                mean = log_p.exp().mean(0).clamp(min=TINY)
                divergence = F.kl_div(mean.log(), self._frequencies, reduction='sum')
                losses[f'loss_balance_{name}'] = self.balance * divergence
        return losses


def refine(guesses: list[Tensor], number: int, labels: Tensor, clean: Tensor) -> Tensor:
    """Return what a network is to predict, (N, C).

    Args:
        guesses: Mean probabilities of the views, (N, C), of each network.
        number: The network, 0 or 1.
        labels: Noisy labels, (N,).
        clean: How probably each is right, by the other network, (N,).
    """
    own = guesses[number]
    one_hot = F.one_hot(labels, own.shape[1]).float()
    mixed = own.lerp(one_hot, clean[:, None])
    target = torch.where(clean[:, None] > 0.5, mixed, (guesses[0] + guesses[1]) / 2)
    target = target**SHARPNESS
    return target / target.sum(1, keepdim=True)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Return the mean by weight, 0 if all weights are 0."""
    return (values * weights).sum() / weights.sum().clamp(min=1)


def clean_probability(losses: np.ndarray) -> np.ndarray:
    """Return how probably each sample belongs to the component of small losses, (M,).

    Args:
        losses: Loss of each sample, (M,). NaN if it was never served: the label counts
            as right.
    """
    # scikit-learn is only needed here, and takes a second.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    clean = np.ones(len(losses), dtype=np.float32)
    known = np.isfinite(losses)
    found = losses[known].astype(np.float64)
    spread = np.ptp(found) if len(found) > 1 else 0
    if spread == 0:  # nothing to divide
        return clean
    scaled = ((found - found.min()) / spread)[:, None]
    mixture = GaussianMixture(2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', ConvergenceWarning)  # ten steps are enough
        mixture.fit(scaled)
    clean[known] = mixture.predict_proba(scaled)[:, mixture.means_.argmin()]
    return clean
