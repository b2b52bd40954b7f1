"""Check the order of a training pipeline, and that nothing of it is lost."""

from typing import Any

from mmcv.transforms import TransformBroadcaster
from mmpretrain.datasets import MultiView, PackInputs
from torch.utils.data import Dataset

from eac_mm.datasets.transforms import SeedAugmentation
from eac_mm.datasets.wrappers import walk

TAKE_VIEWS = (PackInputs, TransformBroadcaster, SeedAugmentation)
# Packages whose other transforms take one image. What those of others take is unknown.
ONE_IMAGE = ('eac_mm', 'mmcv', 'mmpretrain', 'torchvision')


def pipelines_of(dataset: Dataset) -> list[list[Any]]:
    """Return the transforms of each pipeline in a data set."""
    found = {}
    for part in walk(dataset):
        pipeline = getattr(part, 'pipeline', None)
        if hasattr(pipeline, 'transforms'):  # a wrapper may forward it
            found[id(pipeline)] = list(pipeline.transforms)
    return list(found.values())


def check_order(dataset: Dataset) -> None:
    """Refuse transforms of one image behind one that makes views.

    They would fail on the list of views, or take it for an image. A transform makes
    views if it says so by ``makes_views = True``.

    Raises:
        ValueError: Naming both, and how to apply the transform to each view.
    """
    for transforms in pipelines_of(dataset):
        maker = None
        for transform in transforms:
            kind = type(transform)
            if maker is None:
                if getattr(transform, 'makes_views', kind is MultiView):
                    maker = kind.__name__
            elif kind not in TAKE_VIEWS and kind.__module__.startswith(ONE_IMAGE):
                name = kind.__name__
                raise ValueError(
                    f'{name} takes one image, and stands behind {maker}, which makes a '
                    f'list of views. Fix: put {name} before {maker}, or, to change '
                    'each view on its own, dict(type="TransformBroadcaster", '
                    f'mapping=dict(img="img"), transforms=[dict(type="{name}", ...)]).'
                )


def check_packed(dataset: Dataset, batch: Any) -> None:
    """Refuse samples that lost what a transform has computed for the loss.

    A transform names such keys in ``needs_packing``.

    Raises:
        ValueError: Naming the key, and how to pack it.
    """
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    for transform in sum(pipelines_of(dataset), []):
        for key in getattr(transform, 'needs_packing', ()):
            if samples and key not in samples[0]:
                name = type(transform).__name__
                raise ValueError(
                    f'{name} computes {key} for the loss, and the samples do not carry '
                    f'it: the loss would not know what {name} did. Fix: '
                    f'dict(type="PackInputs", algorithm_keys=("{key}",)).'
                )
