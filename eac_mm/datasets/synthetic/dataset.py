"""Provide synthetic faces as a data set, if no photographs may be downloaded."""

import numpy as np
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS

from ..faces.expressions import EXPRESSIONS
from ..validate import require_choice
from .faces import check_size, draw_face

# How many faces a split has if the config does not say.
DEFAULT_SIZES = {'train': 6000, 'val': 1500, 'test': 1500}
# Mildly imbalanced, happy and neutral the commonest, as in real FER sets.
CLASS_SHARES = {
    'surprise': 0.13,
    'fear': 0.10,
    'disgust': 0.10,
    'happy': 0.22,
    'sad': 0.15,
    'angry': 0.12,
    'neutral': 0.18,
}


@DATASETS.register_module()
class SyntheticFER(BaseDataset):
    """Synthetic faces with one of seven expressions; needs no files.

    The faces are drawn when the data set is loaded (one to two milliseconds
    each) and kept in memory as ``img``, like the images of MMPretrain's CIFAR, so
    that a pipeline starts without ``LoadImageFromFile``. The expressions are clear, so
    that wrong labels are what makes a network wrong. Figures on this set compare
    methods on this set alone; they say nothing about photographs.

    Face and label are functions of (seed, split, index): they are the same in
    every process, and a smaller data set is the beginning of a larger one. No face
    is in two splits. Labels follow :data:`CLASS_SHARES`.

    Args:
        split: 'train', 'val' or 'test'.
        size: Number of faces. Defaults to 6000 in 'train' and 1500 in 'val'
            and 'test'.
        img_size: Width and height in pixels, at least 24. Defaults to 64.
        seed: Number of the series of faces, 0 to 2**32 - 1. The splits of one
            experiment share it. Defaults to 0.
        **kwargs: ``pipeline``, ``metainfo``, ``indices``, ``test_mode``,
            ``lazy_init`` and the other arguments of MMPretrain's
            ``BaseDataset``.

    Raises:
        ValueError: If ``split``, ``size``, ``img_size`` or ``seed`` is not
            allowed.

    Examples:
        >>> from eac_mm.datasets import SyntheticFER
        >>> data = SyntheticFER(split='val', size=10)
        >>> data[0]['img'].shape
        (64, 64, 3)
        >>> data[0]['img_path']
        'synthetic/val/000000'
    """

    METAINFO = {'classes': EXPRESSIONS}

    def __init__(
        self,
        split: str = 'train',
        size: int | None = None,
        img_size: int = 64,
        seed: int = 0,
        **kwargs,
    ):
        require_choice('split', split, tuple(DEFAULT_SIZES))
        size = DEFAULT_SIZES[split] if size is None else size
        if size < 1:
            raise ValueError(
                f'size={size} is not allowed: a data set has at least one face. '
                f'Fix: set 1 or more, or None for {DEFAULT_SIZES[split]}.'
            )
        if not 0 <= seed < 2**32:
            raise ValueError(
                f'seed={seed} is not allowed. Fix: set an integer from 0 to 2**32 - 1.'
            )
        check_size(img_size)
        self.split = split
        self.size = size
        self.img_size = img_size
        self.seed = seed
        super().__init__(ann_file='', **kwargs)

    def load_data_list(self) -> list[dict]:
        """Draw every face of the split.

        Returns:
            A dict for each face with 'img' (uint8, BGR), 'img_path' (a name;
            there is no such file), 'img_shape', 'ori_shape' and 'gt_label'.
        """
        splits = tuple(DEFAULT_SIZES)
        # The splits take turns in one series of faces, so that they share none,
        # however large they are.
        faces = splits.index(self.split) + len(splits) * np.arange(self.size)
        shape = (self.img_size, self.img_size)
        return [
            {
                'img': draw_face(label, self.seed, face, self.img_size),
                'img_path': f'synthetic/{self.split}/{index:06d}',
                'img_shape': shape,
                'ori_shape': shape,
                'gt_label': label,
            }
            for index, (face, label) in enumerate(
                zip(faces.tolist(), self._draw_labels(), strict=True)
            )
        ]

    def _draw_labels(self) -> list[int]:
        shares = [CLASS_SHARES[name] for name in EXPRESSIONS]
        split = tuple(DEFAULT_SIZES).index(self.split)
        # A third number other than 0 separates this stream from that of every face.
        rng = np.random.default_rng([self.seed, split, 1])
        borders = np.cumsum(shares)[:-1]
        return np.searchsorted(borders, rng.random(self.size), 'right').tolist()

    def extra_repr(self) -> list[str]:
        """Name split, seed and size in the representation of the data set."""
        return [
            f'Split: \t{self.split}',
            f'Seed: \t{self.seed}',
            f'Image size: \t{self.img_size}',
        ]
