"""What several tests need: small folders of made images, and their options."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import eac_mm  # noqa: F401  (mends upstream; must precede mmpretrain)

torch.set_num_threads(1)

ROOT = Path(__file__).parents[1]
TRAIN_LABELS = [1, 2, 3, 4, 5, 6, 7, 4, 4, 7, 5, 1]
TEST_LABELS = [1, 2, 3, 4, 5, 6, 7]


@pytest.fixture(scope='session')
def rafdb_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RAF-DB's layout with 12 training and 7 test images of random pixels."""
    root = tmp_path_factory.mktemp('rafdb')
    folder = root / 'Image' / 'aligned'
    folder.mkdir(parents=True)
    (root / 'EmoLabel').mkdir()
    rng = np.random.default_rng(0)
    lines = []
    for split, labels in (('train', TRAIN_LABELS), ('test', TEST_LABELS)):
        for i, label in enumerate(labels, start=1):
            image = rng.integers(0, 256, (100, 100, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / f'{split}_{i:05d}_aligned.jpg'), image)
            lines.append(f'{split}_{i:05d}.jpg {label}')
    (root / 'EmoLabel' / 'list_patition_label.txt').write_text('\n'.join(lines))
    return root


@pytest.fixture
def small_options(rafdb_root: Path) -> dict:
    """``--cfg-options`` that run a 224 px RAF-DB recipe small: 3 steps an epoch."""
    return {
        'train_dataloader.dataset.dataset.data_root': str(rafdb_root),
        'val_dataloader.dataset.data_root': str(rafdb_root),
        'test_dataloader.dataset.data_root': str(rafdb_root),
        'train_dataloader.batch_size': 4,
        'train_dataloader.num_workers': 0,
        'val_dataloader.num_workers': 0,
        'test_dataloader.num_workers': 0,
        'train_cfg.max_epochs': 2,
        'model.backbone.stem_channels': 8,
        'model.backbone.base_channels': 8,
        'model.head.in_channels': 64,
    }


@pytest.fixture
def as_arguments():
    """Turn options into the words that follow ``--cfg-options``."""
    return lambda options: [f'{key}={value}' for key, value in options.items()]
