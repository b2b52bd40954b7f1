"""What several tests need: small folders of made images, and their options."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from browsers import browser  # noqa: F401  (a fixture)
from mmengine.logging import MMLogger
from spared import spare_repetition

import eac_mm  # noqa: F401  (fixes upstream; must precede mmpretrain)

torch.set_num_threads(1)
spare_repetition()

ROOT = Path(__file__).parents[1]
TRAIN_LABELS = [1, 2, 3, 4, 5, 6, 7, 4, 4, 7, 5, 1]
TEST_LABELS = [1, 2, 3, 4, 5, 6, 7]
# Such that 10, 20 and 30 % noise (seed 0) leave no class empty
AFFECTNET_IDS = [4, 5, 2, 3, 1, 0, 2, 6]


@pytest.fixture(autouse=True)
def a_log_of_its_own():
    """Keep a run from the log of another one that began in the same second."""
    yield
    MMLogger._instance_dict.clear()


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


@pytest.fixture(scope='session')
def recipe_data(rafdb_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Roots of the recipes' data sets, each in its official layout, random pixels."""
    root = tmp_path_factory.mktemp('recipe_data')
    makers = dict(
        affectnet=make_affectnet,
        cifar10=make_cifar10,
        cifar100=make_cifar100,
        ferplus=make_ferplus,
        tinyimagenet=make_tiny_imagenet,
    )
    for name, make in makers.items():
        make(root / name, np.random.default_rng(0))
    return dict(rafdb=rafdb_root, **{name: root / name for name in makers})


def write_images(
    folder: Path,
    names: list[str],
    side: int,
    rng: np.random.Generator,
) -> None:
    """Write square images of random pixels."""
    folder.mkdir(parents=True)
    for name in names:
        image = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), image)


def make_affectnet(root: Path, rng: np.random.Generator) -> None:
    """AffectNet's npy layout with 8 training and 7 validation images."""
    for split, ids in (('train', AFFECTNET_IDS), ('val', range(7))):
        folder = root / f'{split}_set'
        write_images(folder / 'images', [f'{i}.jpg' for i in range(len(ids))], 224, rng)
        (folder / 'annotations').mkdir()
        for i, expression in enumerate(ids):
            np.save(folder / 'annotations' / f'{i}_exp.npy', str(expression))


def make_ferplus(root: Path, rng: np.random.Generator) -> None:
    """FERPlus's layout with 8 images a split."""
    rows = [
        'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,'
        'contempt,unknown,NF'
    ]
    usages = dict(Training='Train', PublicTest='Valid', PrivateTest='Test')
    for usage, folder in usages.items():
        names = [f'{usage}{i}.png' for i in range(8)]
        write_images(root / f'FER2013{folder}', names, 48, rng)
        for i, name in enumerate(names):
            votes = ['10' if column == i % 7 else '0' for column in range(10)]
            rows.append(','.join([usage, name, *votes]))
    (root / 'fer2013new.csv').write_text('\n'.join(rows))


def make_cifar10(root: Path, rng: np.random.Generator) -> None:
    """Folders of ten classes with an image a split."""
    for split in ('train', 'test'):
        for name in range(10):
            write_images(root / split / str(name), ['0.jpg'], 32, rng)


def make_cifar100(root: Path, rng: np.random.Generator) -> None:
    """CIFAR-100's pickles with 8 images a split."""
    folder = root / 'cifar-100-python'
    folder.mkdir(parents=True)
    for split in ('train', 'test'):
        data = rng.integers(0, 256, (8, 3 * 32 * 32), dtype=np.uint8)
        content = dict(data=data, fine_labels=list(range(92, 100)))
        (folder / split).write_bytes(pickle.dumps(content))


def make_tiny_imagenet(root: Path, rng: np.random.Generator) -> None:
    """Tiny-ImageNet's layout: an image a class in training, 8 for validation."""
    wnids = [f'n{i:08d}' for i in range(200)]
    for wnid in wnids:
        write_images(root / 'train' / wnid / 'images', ['0.JPEG'], 64, rng)
    names = [f'{i}.JPEG' for i in range(8)]
    write_images(root / 'val' / 'images', names, 64, rng)
    (root / 'wnids.txt').write_text('\n'.join(wnids))
    pairs = zip(names, wnids[-8:], strict=True)
    lines = [f'{name}\t{wnid}\t0\t0\t9\t9' for name, wnid in pairs]
    (root / 'val' / 'val_annotations.txt').write_text('\n'.join(lines))


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
        'model.data_preprocessor.channels_last': False,  # 8 channels: PreflightHook
    }


@pytest.fixture
def as_arguments():
    """Turn options into the words that follow ``--cfg-options``."""
    return lambda options: [f'{key}={value}' for key, value in options.items()]
