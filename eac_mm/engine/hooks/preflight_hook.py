"""What can be found wrong before the first step is."""

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from torch import nn
from torch.utils.data import Dataset

from eac_mm.datasets.transforms import AffinePair
from eac_mm.datasets.wrappers import transforms_of
from eac_mm.models import EACClassifier


@HOOKS.register_module()
class PreflightHook(Hook):
    """Hold data and model against each other before training starts.

    Raises:
        ValueError: Where the head's ``num_classes`` is not the data's, a label
            is out of range, the validation classes are not the training
            classes, PyTorch would crash on the network, the input is too small for
            the backbone, or its features do not fit the head.
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
            if val.metainfo['classes'] != train.metainfo['classes']:
                raise ValueError(
                    'the classes of training and validation differ (in names or '
                    f'order): {train.metainfo["classes"]} and '
                    f'{val.metainfo["classes"]}.'
                )
        check_layout(model)
        if isinstance(model, EACClassifier):
            check_features(model, train)
        report_batch_size(runner)


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
    """Say so where the batch over all processes is not the recipe's."""
    expected = (runner.cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    batch = get_world_size() * (runner.train_dataloader.batch_size or 0)
    if expected and batch and batch != expected:
        runner.logger.warning(
            f'{batch} images a step over all processes; the recipe was set for '
            f'{expected}. Results depend on it: set train_dataloader.batch_size, or '
            'auto_scale_lr.enable=True for a learning rate in proportion.'
        )


def check_classes(model: nn.Module, dataset: Dataset, role: str) -> None:
    """Refuse a head of another number of classes than the data."""
    classes = getattr(dataset, 'metainfo', {}).get('classes')
    if classes is None:
        raise ValueError(
            f'the {role} data ({type(dataset).__name__}) has no class names. Mend: '
            'give it metainfo=dict(classes=[...]), in the order of the labels.'
        )
    num_classes = getattr(getattr(model, 'head', None), 'num_classes', None)
    if num_classes is not None and num_classes != len(classes):
        raise ValueError(
            f'model.head.num_classes={num_classes}, but the {role} data has '
            f'{len(classes)} classes {tuple(classes)}. Mend: --cfg-options '
            f'model.head.num_classes={len(classes)}, or mend the data set.'
        )


def check_labels(dataset: Dataset, role: str) -> None:
    """Refuse labels that name no class, where the data set can list its labels."""
    if not hasattr(dataset, 'get_gt_labels'):
        return
    labels = np.asarray(dataset.get_gt_labels())
    size = len(dataset.metainfo['classes'])
    bad = np.flatnonzero((labels < 0) | (labels >= size))
    if len(bad):
        raise ValueError(
            f'sample {bad[0]} of the {role} data has the label {labels[bad[0]]}; its '
            f'{size} classes allow 0 to {size - 1}. {len(bad)} samples are so. Mend '
            'the list of labels (they count from 0), or name all classes.'
        )


def check_layout(model: nn.Module) -> None:
    """Refuse a network on which PyTorch's channels last corrupts memory.

    Seen with torch 2.13.0 (oneDNN) on the CPU: the backward pass of a strided 1x1
    convolution from fewer than 16 channels writes beyond its memory, and the
    process dies of a segmentation fault.
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
                'PyTorch there, on the CPU. Mend: --cfg-options '
                'model.data_preprocessor.channels_last=False'
            )


def check_features(model: EACClassifier, dataset: Dataset) -> None:
    """Send one training image's size through the backbone.

    Raises:
        ValueError: Where there are no pairs, an :class:`AffinePair`'s matrix does
            not reach the samples, the backbone fails on the image, its map is a
            single column (which a flip does not change), or its channels are not
            the head's.
    """
    # Where a data set gives indices in place of images, it can load one.
    sample = getattr(dataset, 'load', dataset.__getitem__)(0)
    inputs = sample['inputs']
    if not isinstance(inputs, list | tuple) or len(inputs) != 2:
        raise ValueError(
            'EACClassifier trains on pairs of views and the training pipeline gives '
            'one image a sample. Mend: pipeline=_base_.pair_pipeline in the recipe, or '
            'dict(type="ErasingFlipPair") before PackInputs.'
        )
    affine = any(transforms_of(dataset, AffinePair))
    if affine and 'view_affine' not in sample['data_samples']:
        raise ValueError(
            'AffinePair turns or scales view 2, and the samples do not say how: the '
            'maps would be compared as if it were a flip. Mend: '
            'dict(type="PackInputs", algorithm_keys=("view_affine",)).'
        )
    view = inputs[0]
    height, width = view.shape[-2:]
    image = torch.zeros(1, *view.shape, device=next(model.parameters()).device)
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            features = model.feature_map(image)
    except RuntimeError as error:
        raise ValueError(
            f'{type(model.backbone).__name__} cannot take images of {height} x {width} '
            f'({error}). Mend: Resize to a larger scale in the pipelines.'
        ) from error
    finally:
        model.train(training)
    if features.shape[-1] < 2:
        raise ValueError(
            f'images of {height} x {width} are too small for '
            f'{type(model.backbone).__name__}: its last map is '
            f'{features.shape[-2]} x {features.shape[-1]}, and the flip of one column '
            'is that column. Mend: Resize to a larger scale in the pipelines.'
        )
    if features.shape[1] != model.head.in_channels:
        raise ValueError(
            f'{type(model.backbone).__name__} gives {features.shape[1]} channels, the '
            f'head expects {model.head.in_channels}. Mend: --cfg-options '
            f'model.head.in_channels={features.shape[1]}'
        )
