"""A data set of 12 small photographs of different sizes, and its pipelines."""

import numpy as np
import pytest

from eac_mm.datasets import RAFDB

LOAD = [dict(type='LoadFace'), dict(type='Resize', scale=(40, 32))]
PACK = dict(type='PackInputs')
SINGLE = [
    dict(type='Erasing', prob=0.7),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
]


@pytest.fixture
def faces(rafdb_root):
    """Build RAF-DB with the transforms that come after ``SeedAugmentation``."""

    def build(*transforms, load=LOAD, pack=PACK, **kwargs):
        pipeline = [*load, dict(type='SeedAugmentation'), *transforms, pack]
        return RAFDB(
            data_root=str(rafdb_root), split='train', pipeline=pipeline, **kwargs
        )

    return build


@pytest.fixture
def set_epoch():
    """Set seed and epoch of a data set's ``SeedAugmentation``."""
    from eac_mm.datasets import SeedAugmentation
    from eac_mm.datasets.wrappers import transforms_of

    def set_on(dataset, epoch, seed=3):
        np.random.seed(99)
        for transform in transforms_of(dataset, SeedAugmentation):
            transform.set_epoch(seed, epoch)

    return set_on
