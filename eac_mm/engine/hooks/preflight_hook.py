"""Find mistakes in data and model before training starts."""

import numpy as np
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from torch import nn
from torch.utils.data import Dataset

from eac_mm.engine.pipeline_checks import check_order, check_packed
from eac_mm.engine.rehearsal import CopyError, kept_randomness, real_batch, rehearse
from eac_mm.engine.stage import is_training


@HOOKS.register_module()
class PreflightHook(Hook):
    """Check that data and model fit each other, before training starts.

    Classes and labels are compared, and the model's losses are computed once on a few
    real samples. What a method needs is said by its own ``loss``, in an error that
    ends with "Fix: ..."; nothing about it stands here. Training is the same to the
    last digit with and without this hook.

    Raises:
        ValueError: If the head's ``num_classes`` is not the data's, a label is out of
            range, the validation classes are not the training classes, PyTorch would
            crash on the network, or the model's losses cannot be computed: too small
            images, features that do not fit the head, views that are missing.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Run every check once."""
        check_steps(runner)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        train = runner.train_dataloader.dataset
        check_classes(model, train, 'training')
        check_labels(train, 'training')
        if runner.val_loop is not None:
            val = runner.val_dataloader.dataset
            check_classes(model, val, 'validation')
            check_labels(val, 'validation')
            check_same_classes(train, val)
        check_order(train)
        check_layout(model)  # first, for the step would crash
        check_losses(runner, model)
        report_batch_size(runner)

    def before_val(self, runner: Runner) -> None:
        """Check the validation data, if it is not part of a training."""
        if not is_training(runner):
            self._check_data(runner, runner.val_dataloader.dataset, 'validation')

    def before_test(self, runner: Runner) -> None:
        """Check the test data."""
        self._check_data(runner, runner.test_dataloader.dataset, 'test')

    @staticmethod
    def _check_data(runner: Runner, dataset: Dataset, role: str) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        check_classes(model, dataset, role)
        check_labels(dataset, role)
        check_layout(model)


def check_steps(runner: Runner) -> None:
    """Refuse a training without a single step: its checkpoint would be random."""
    loader, loop = runner.train_dataloader, runner.train_loop
    if len(loader) and loop.max_iters > 0:
        return
    if not len(loader):
        batches = loader.batch_sampler
        samples = len(getattr(batches, 'sampler', loader.dataset))
        given = (
            f'the sampler gives {samples} of {len(loader.dataset)} training samples '
            f'to each of {get_world_size()} process(es), batch_size is '
            f'{getattr(batches, "batch_size", None)} and drop_last is '
            f'{getattr(batches, "drop_last", False)}'
        )
    else:
        given = (
            f'train_cfg allows {loop.max_epochs} epochs, {loop.max_iters} iterations'
        )
    raise ValueError(
        f'there is no training step to make: {given}. Fix: a smaller '
        'train_dataloader.batch_size, drop_last=False, more data, or more epochs.'
    )


def report_batch_size(runner: Runner) -> None:
    """Warn if the batch of a step, over all processes, is not the recipe's.

    Gradients that are accumulated over several batches make one step.
    """
    expected = (runner.cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    size = get_world_size() * (runner.train_dataloader.batch_size or 0)
    counts = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
    batch = size * counts
    if expected and batch and batch != expected:
        parts = f' ({counts} batches of {size})' if counts > 1 else ''
        runner.logger.warning(
            f'{batch} images a step{parts} over all processes; the recipe was set for '
            f'{expected}. Results depend on it: set train_dataloader.batch_size, or '
            'auto_scale_lr.enable=True for a learning rate in proportion.'
        )


def check_classes(model: nn.Module, dataset: Dataset, role: str) -> None:
    """Refuse a head of another number of classes than the data."""
    classes = getattr(dataset, 'metainfo', {}).get('classes')
    if classes is None:
        raise ValueError(
            f'the {role} data ({type(dataset).__name__}) has no class names. Fix: '
            'give it metainfo=dict(classes=[...]), in the order of the labels.'
        )
    num_classes = getattr(getattr(model, 'head', None), 'num_classes', None)
    if num_classes is not None and num_classes != len(classes):
        raise ValueError(
            f'model.head.num_classes={num_classes}, but the {role} data has '
            f'{len(classes)} classes {tuple(classes)}. Fix: --cfg-options '
            f'model.head.num_classes={len(classes)}, or correct the data set.'
        )


def check_same_classes(train: Dataset, val: Dataset) -> None:
    """Refuse validation data with other classes, or in another order."""
    ours, theirs = (tuple(data.metainfo['classes']) for data in (train, val))
    if ours != theirs:
        raise ValueError(
            'the classes of training and validation differ (in names or order): '
            f'{ours} and {theirs}. Fix: give both data sets the same '
            'metainfo=dict(classes=[...]).'
        )


def check_labels(dataset: Dataset, role: str) -> None:
    """Refuse labels that name no class, if the data set can list its labels."""
    if not hasattr(dataset, 'get_gt_labels'):
        return
    labels = np.asarray(dataset.get_gt_labels())
    size = len(dataset.metainfo['classes'])
    bad = np.flatnonzero((labels < 0) | (labels >= size))
    if len(bad):
        raise ValueError(
            f'{len(bad)} labels of the {role} data name no class: sample {bad[0]} has '
            f'the label {labels[bad[0]]}, and {size} classes allow 0 to {size - 1}. '
            'Fix: correct the list of labels (they count from 0), or name all classes.'
        )


def check_layout(model: nn.Module) -> None:
    """Refuse a network on which PyTorch's channels last corrupts memory.

    Seen with torch 2.13.0 (oneDNN) on the CPU: the backward pass of a strided 1x1
    convolution with fewer than 16 input channels writes beyond its memory, and the
    process ends with a segmentation fault.
    """
    preprocessor = getattr(model, 'data_preprocessor', None)
    on_cpu = next(model.parameters()).device.type == 'cpu'
    if not on_cpu or not getattr(preprocessor, 'channels_last', False):
        return
    for name, layer in model.named_modules():
        if (
            isinstance(layer, nn.Conv2d)
            and layer.kernel_size == (1, 1)
            and layer.stride != (1, 1)
            and layer.in_channels < 16
        ):
            raise ValueError(
                f'{name} has {layer.in_channels} input channels: channels last crashes '
                'PyTorch there, on the CPU. Fix: --cfg-options '
                'model.data_preprocessor.channels_last=False'
            )


def check_losses(runner: Runner, model: nn.Module) -> None:
    """Compute the model's losses on a few training samples, in training's precision.

    Nothing of it stays behind: see :mod:`~eac_mm.engine.rehearsal`.

    Raises:
        ValueError: If that fails. It is but a warning for a model that defines its own
            ``train_step``, which may not use ``forward(mode='loss')``.
    """
    if not isinstance(model, BaseModel):
        return
    loader, wrapper = runner.train_dataloader, runner.optim_wrapper
    with kept_randomness(next(model.parameters()).device):
        batch = real_batch(loader, runner.seed, runner.epoch)
        check_packed(loader.dataset, batch)
        several = isinstance(wrapper, OptimWrapperDict)  # each has its own precision
        precision = None if several else wrapper.optim_context(model)
        try:
            rehearse(model, batch, precision)
        except CopyError as error:
            runner.logger.warning(f'training starts unrehearsed: {error}')
        except ValueError as error:
            if type(model).train_step is BaseModel.train_step:
                raise
            runner.logger.warning(f'the rehearsal of a training step failed: {error}')
