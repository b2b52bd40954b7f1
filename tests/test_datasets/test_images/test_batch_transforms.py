import numpy as np
import pytest
import torch
from mmcv.transforms import RandomFlip
from mmpretrain.datasets import PackInputs, RandomCrop

from eac_mm.datasets import Erasing, ErasingFlipPair
from eac_mm.datasets.images.batch_single import BatchErasing, BatchFlip
from eac_mm.datasets.images.batch_transforms import (
    apply_on_batch,
    build_batch_transforms,
)

from .batches import SHAPES, batch


@pytest.mark.parametrize(
    'unknown',
    [
        RandomCrop(8),
        RandomFlip(prob=0.5, direction='vertical'),
        RandomFlip(prob=[0.5], direction=['horizontal']),
        type('Mine', (Erasing,), {})(),
    ],
)
def test_another_transform_is_named(unknown):
    transforms = [Erasing(), unknown, PackInputs()]
    with pytest.raises(
        ValueError, match=rf'(?s)cannot run {type(unknown).__name__}.*cache ram'
    ):
        build_batch_transforms(transforms)


def test_pairs_come_last():
    with pytest.raises(ValueError, match='cannot run ErasingFlipPair'):
        transforms = [ErasingFlipPair(), Erasing(), PackInputs()]
        build_batch_transforms(transforms)
    with pytest.raises(ValueError, match='cannot run Erasing'):
        build_batch_transforms([Erasing()])
    built = build_batch_transforms([Erasing(), PackInputs()])
    assert [type(part) for part in built] == [BatchErasing]


def test_one_after_the_other():
    """Each with its own columns of the table."""
    erasing, flip = Erasing(prob=0.7), RandomFlip(prob=0.5)
    images = batch()
    table = np.random.default_rng(5).random((16, BatchErasing.numbers + 1))
    parts = build_batch_transforms([erasing, flip, PackInputs()])
    found = apply_on_batch(parts, images.clone(), table, SHAPES[:16])
    expected = BatchErasing(erasing)(images, table[:, :-1], SHAPES[:16])
    expected = BatchFlip(flip)(expected, table[:, -1:], SHAPES[:16])
    assert torch.equal(found, expected)
    both = build_batch_transforms([ErasingFlipPair(), PackInputs()])
    views = apply_on_batch(both, images, table[:, :-1], SHAPES[:16])
    assert len(views) == 2
