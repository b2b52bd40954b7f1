"""Synthetic faces in RAF-DB's layout: 100 px JPEG files."""

from pathlib import Path

import cv2
import numpy as np

from eac_mm.datasets import SyntheticFER


def make(root: Path, size: int) -> tuple[list[Path], list[int]]:
    """Write ``size`` training and 8 test images; return the training ones.

    Args:
        root: The folder; files of the same names are overwritten.
        size: Number of training images.

    Returns:
        Files and labels, 0 to 6.
    """
    folder = root / 'Image' / 'aligned'
    folder.mkdir(parents=True, exist_ok=True)
    (root / 'EmoLabel').mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    lines, paths, labels = [], [], []
    for split, count in (('train', size), ('test', 8)):
        faces = SyntheticFER(split=split, size=count, img_size=100)
        for i in range(count):
            face = faces[i]
            # Grain: synthetic faces compress better than photographs.
            noise = rng.normal(0, 8, face['img'].shape)
            image = np.clip(face['img'] + noise, 0, 255).astype(np.uint8)
            path = folder / f'{split}_{i + 1:05d}_aligned.jpg'
            cv2.imwrite(str(path), image)
            lines.append(f'{split}_{i + 1:05d}.jpg {face["gt_label"] + 1}')
            if split == 'train':
                paths.append(path)
                labels.append(face['gt_label'])
    (root / 'EmoLabel' / 'list_patition_label.txt').write_text('\n'.join(lines))
    return paths, labels
