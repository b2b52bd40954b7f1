"""Record what the network says of each training sample, once an epoch."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpretrain.registry import HOOKS
from torch import Tensor, nn

from eac_mm.datasets.sample_table import numbering_data_set, read_labels, read_paths
from eac_mm.models.passes import passes_of
from eac_mm.utils.training_records import (
    epoch_path,
    list_epochs,
    samples_path,
    write_arrays,
)

LARGEST = torch.finfo(torch.float16).max


class Drawn(NamedTuple):
    """Samples in the order in which one process drew them.

    Attributes:
        indices: Their ``sample_idx``, int64 (n,).
        logits: float16 (views, n, classes).
        disagreement: float32 (n,), or None.
    """

    indices: np.ndarray
    logits: np.ndarray
    disagreement: np.ndarray | None


@HOOKS.register_module()
class TrainingRecorderHook(Hook):
    """Write the logits of every training sample to one file an epoch.

    They are those that the step itself computed, of augmented images and by the weights
    before the step. :mod:`eac_mm.utils.training_records` has the files and reads them.
    Training is the same to the last digit with and without this hook.

    What a step computes stays on the device until the epoch ends, and no step waits
    for it. Logits beyond float16's range are clipped to it. If an epoch serves a sample
    several times, as padding for several processes does, the first draw counts: by
    turn, then by rank. The main process writes the file when the epoch is over, before
    the checkpoint. So a part of an epoch is never written, and a resumed run ends with
    the same bytes.

    A model or its head serves the hook by an attribute ``recorder``, None unless a step
    is recorded. Its ``loss`` then calls ``recorder(logits=..., disagreement=...)``:
    logits of each view (n, classes), and a value a sample or None, both in the order of
    the batch. :class:`~eac_mm.models.EACHead` does so. Of any other model the output of
    ``model.head`` is taken, as one view.

    Batch augmentations such as Mixup are recorded as they are: the logits are of mixed
    images.

    Raises:
        ValueError: If training does not go by epochs, the model has no head, samples
            cannot be told apart by ``sample_idx``, or logits do not fit the batch.
        TypeError: If the data set gives its labels in no known way.
    """

    def __init__(self) -> None:
        self._source: tuple[nn.Module, Any] | None = None
        self._taken: tuple[Sequence[Tensor], Tensor | None] | None = None
        self._steps: list[tuple[list[int], Tensor, Tensor | None]] = []

    def before_train(self, runner: Runner) -> None:
        """Check that model and data can be recorded."""
        self._detach()
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                'TrainingRecorderHook writes once an epoch, and '
                f'{type(runner.train_loop).__name__} has none. Fix: '
                'train_cfg=dict(by_epoch=True, ...), or leave the hook out.'
            )
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self._observed, self._passes = observed_in(model), passes_of(model)
        self._dataset = numbering_data_set(runner.train_dataloader.dataset)
        self._labels = read_labels(self._dataset)
        self._began = False
        lacking = set(range(1, runner.epoch + 1)) - set(list_epochs(runner.work_dir))
        if lacking:
            runner.logger.warning(
                f'{len(lacking)} epochs before this one were not recorded (first: '
                f'{min(lacking)}), and the records cannot be read without them. Fix: '
                'train anew with the recorder from the first epoch on.'
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Forget an epoch that was not ended."""
        self._steps = []

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Listen to the model for this step alone."""
        self._detach()
        if hasattr(self._observed, 'recorder'):
            self._observed.recorder = self.take
            self._source = self._observed, None
        else:
            handle = self._observed.register_forward_hook(self._take_output)
            self._source = self._observed, handle

    def take(
        self, logits: Sequence[Tensor], disagreement: Tensor | None = None
    ) -> None:
        """Take what a step has computed; its first call counts.

        Args:
            logits: Logits of each view, (n, classes).
            disagreement: A value a sample, (n,). Defaults to None.
        """
        if self._taken is None:
            self._taken = list(logits), disagreement

    def _take_output(self, module: nn.Module, inputs: tuple, output: Any) -> None:
        self.take([output])

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Keep what the step has computed, on its device."""
        taken = self._taken
        self._detach()
        indices = indices_of(data_batch, len(self._labels['noisy_labels']))
        logits, disagreement = taken or ((), None)
        shapes = [tuple(getattr(view, 'shape', ())) for view in logits]
        fitting = (len(indices), len(self._labels['classes']))
        if not shapes or any(shape != fitting for shape in shapes):
            raise ValueError(
                f'{type(self._observed).__name__} gave logits of shapes {shapes} for '
                f'{fitting[0]} samples of {fitting[1]} classes, which cannot be '
                'recorded. Fix: give the model or its head an attribute recorder = '
                'None, and let its loss call self.recorder(logits=[...]) unless it is '
                'None; or leave TrainingRecorderHook out.'
            )
        # In float32, for bfloat16 has no number next to float16's largest one.
        views = torch.stack([view.detach() for view in logits]).float()
        views = views.clamp(-LARGEST, LARGEST).half()
        if disagreement is not None:
            disagreement = disagreement.detach().float()
        self._steps.append((indices, views, disagreement))

    def after_train_epoch(self, runner: Runner) -> None:
        """Write the epoch: the one moment at which the device is waited for."""
        steps, self._steps = self._steps, []
        parts = all_gather_object(joined(steps))
        if is_main_process():
            self._begin(runner)
            size = len(self._labels['noisy_labels'])
            path = epoch_path(runner.work_dir, runner.epoch + 1)
            write_arrays(path, merged(parts, size))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep nothing in the checkpoint: a whole epoch is in its file."""

    def _begin(self, runner: Runner) -> None:
        """Write what the samples are, and remove later epochs than those trained."""
        if self._began:
            return
        self._began = True
        for epoch, path in list_epochs(runner.work_dir).items():
            if epoch > runner.epoch:
                path.unlink(missing_ok=True)
        samples = dict(self._labels, paths=read_paths(self._dataset))
        samples['passes'] = np.float64(self._passes)
        write_arrays(samples_path(runner.work_dir), samples, compress=True)

    def _detach(self) -> None:
        """Stop listening, and forget what was heard."""
        source, self._source, self._taken = self._source, None, None
        if source is None:
            return
        module, handle = source
        if handle is None:
            module.recorder = None
        else:
            handle.remove()


def observed_in(model: nn.Module) -> nn.Module:
    """Return the module whose logits are recorded: model or head.

    Raises:
        ValueError: If there is none.
    """
    head = getattr(model, 'head', None)
    for module in (model, head):
        if hasattr(module, 'recorder'):
            return module
    if not isinstance(head, nn.Module):
        raise ValueError(
            f'{type(model).__name__} has no head whose logits could be recorded. Fix: '
            'give the model an attribute recorder = None and let its loss call '
            'self.recorder(logits=[...]) unless it is None; or leave '
            'TrainingRecorderHook out.'
        )
    return head


def indices_of(data_batch: dict | None, size: int) -> list[int]:
    """Return the ``sample_idx`` of a batch.

    Args:
        data_batch: What the loader gives.
        size: How many samples there are.

    Raises:
        ValueError: If a sample has none, or one that is out of range.
    """
    samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
    indices = [sample.get('sample_idx') for sample in samples or ()]
    if not indices or not all(
        isinstance(index, int | np.integer) and 0 <= index < size for index in indices
    ):
        raise ValueError(
            f'a batch has the sample_idx {indices[:5]}, and 0 to {size - 1} are needed '
            'to record it. Fix: NoisyLabels around the training data, and '
            'dict(type="PackInputs") at the end of its pipeline with sample_idx among '
            'the meta_keys.'
        )
    return indices


def joined(steps: list[tuple[list[int], Tensor, Tensor | None]]) -> Drawn:
    """Join the steps of an epoch and move them to the CPU."""
    indices, logits, disagreement = zip(*steps, strict=True)
    return Drawn(
        np.concatenate(indices).astype(np.int64),
        torch.cat(logits, 1).cpu().numpy(),
        None if disagreement[0] is None else torch.cat(disagreement).cpu().numpy(),
    )


def merged(parts: list[Drawn], size: int) -> dict[str, np.ndarray | None]:
    """Bring what all processes drew into the order of the samples.

    Of a sample that was drawn several times, the first draw counts: by turn, then by
    rank. Samples that nobody drew are NaN.

    Args:
        parts: What each process drew, by rank.
        size: How many samples there are.

    Returns:
        ``logits``, float16 (views, size, classes), and ``disagreement``, float32
        (size,) or None.
    """
    turns = np.concatenate([np.arange(len(part.indices)) for part in parts])
    order = np.argsort(turns, kind='stable')
    indices = np.concatenate([part.indices for part in parts])
    served, first = np.unique(indices[order], return_index=True)
    rows = order[first]

    def placed(drawn: list[np.ndarray]) -> np.ndarray:
        values = np.concatenate(drawn, -1)[..., rows]
        full = np.full((*values.shape[:-1], size), np.nan, values.dtype)
        full[..., served] = values
        return full

    logits = placed([part.logits.swapaxes(1, 2) for part in parts]).swapaxes(1, 2)
    disagreement = [part.disagreement for part in parts]
    return dict(
        logits=np.ascontiguousarray(logits),
        disagreement=None if disagreement[0] is None else placed(disagreement),
    )
