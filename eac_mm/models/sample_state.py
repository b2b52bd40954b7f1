"""A value for each training sample, kept for the whole training."""

import torch
from mmengine.dist import all_gather
from mmpretrain.structures import DataSample
from torch import Tensor, nn


class SampleState(nn.Module):
    """Keep a value for each training sample, by ``sample_idx``.

    It is what a method remembers of a sample from one epoch to the next: a replaced
    label, an averaged prediction, the last features. A head or classifier makes one
    in its ``__init__``, reads and writes it in its ``loss``, and need not know how
    many samples there are::

        self.targets = SampleState((num_classes,))
        ...
        indices = self.targets.indices(data_samples)
        old = self.targets.read(indices)
        self.targets.write(indices, old.lerp(probabilities, 0.3))

    - :class:`~eac_mm.engine.SampleStateHook` sets the size before a training begins
      and before a checkpoint is loaded.
    - The values are a buffer of the model: they are in every checkpoint, a resumed
      run goes on with them, and a run that starts from a checkpoint (``load_from``)
      starts with new ones.
    - All processes hold the same values.
    - In testing there are no rows, and those of a checkpoint are not loaded.
    - ``write`` waits for no device. What is read is a copy without gradient.

    Args:
        shape: Shape of a sample's value. Defaults to (): one number.
        dtype: Type of the values. Defaults to float32.
        fill: What the values are before they are written. Defaults to 0.

    Attributes:
        values: The values, ``(samples, *shape)``. No rows until the size is set.
        epoch: Epochs of the training that are done; the hook counts them.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (),
        dtype: torch.dtype = torch.float32,
        fill: float = 0,
    ) -> None:
        super().__init__()
        self.fill = fill
        self.epoch = 0
        self.register_buffer('values', torch.empty((0, *shape), dtype=dtype))
        self._register_load_state_dict_pre_hook(self._ignore_in_testing)

    def __len__(self) -> int:
        """Return the number of samples, 0 until it is set."""
        return len(self.values)

    def resize(self, size: int) -> None:
        """Set the number of samples, and start anew."""
        self.values = self.values.new_full((size, *self.values.shape[1:]), self.fill)

    def indices(self, data_samples: list[DataSample]) -> Tensor:
        """Return the ``sample_idx`` of a batch, int64 (N,), on the values' device.

        Raises:
            ValueError: If a sample has none, or one that has no row.
        """
        found = [sample.get('sample_idx') for sample in data_samples]
        if None in found:
            raise ValueError(
                'a sample has no sample_idx, which its state is kept by. Fix: '
                'NoisyLabels around the training data, and dict(type="PackInputs") at '
                'the end of its pipeline with sample_idx among the meta_keys.'
            )
        if not len(self):
            raise ValueError(
                'the number of training samples is not set. Fix: '
                'default_hooks.sample_state=dict(type="SampleStateHook"), or call '
                'resize(size) if you train without a Runner.'
            )
        if not 0 <= min(found) <= max(found) < len(self):
            raise ValueError(
                f'a batch has the sample_idx {min(found)} to {max(found)}, and there '
                f'is state for 0 to {len(self) - 1}. Fix: one NoisyLabels around all '
                'training data, which numbers the samples from 0.'
            )
        return torch.tensor(found, device=self.values.device)

    def read(self, indices: Tensor) -> Tensor:
        """Return a copy of the values of some samples, ``(N, *shape)``."""
        return self.values[indices]

    @torch.no_grad()
    def write(self, indices: Tensor, rows: Tensor) -> None:
        """Set the values of the samples of a batch, on all processes alike.

        All processes must call it in the same step, each with as many samples. If a
        sample occurs several times, as padding for several processes has it, the last
        row counts: by rank, then by place in the batch.

        Args:
            indices: From :meth:`indices`, (N,).
            rows: Their new values, ``(N, *shape)``.
        """
        rows = rows.to(self.values.dtype).contiguous()
        indices, rows = torch.cat(all_gather(indices)), torch.cat(all_gather(rows))
        # Every occurrence gets the last row: which write comes last is open on a GPU.
        place = torch.arange(len(indices), device=indices.device)
        last = torch.where(indices[:, None] == indices, place, -1).amax(1)
        self.values[indices] = rows[last]

    def _ignore_in_testing(self, state_dict: dict, prefix: str, *_) -> None:
        """Take nothing from a checkpoint unless the size has been set."""
        if not len(self):
            state_dict[f'{prefix}values'] = self.values
