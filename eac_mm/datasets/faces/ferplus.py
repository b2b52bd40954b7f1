"""FERPlus, the FER2013 faces with ten crowd-sourced votes each."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mmpretrain.registry import DATASETS

from ..readers import line_error, read_table, require_plain_name
from ..validate import require_choice, require_faces, require_folder, require_images
from .base import FaceDataset
from .rafdb import RAFDB

VOTES_FILE = 'fer2013new.csv'
VOTE = re.compile('[0-9]{1,9}')
# Usage in the csv -> folder of the images, as Microsoft's own script names it.
FOLDERS = {
    'Training': 'FER2013Train',
    'PublicTest': 'FER2013Valid',
    'PrivateTest': 'FER2013Test',
}
USAGES = {'train': 'Training', 'val': 'PublicTest', 'test': 'PrivateTest'}
# Vote column -> our class; None is no expression. The order is the csv's.
CANDIDATES = {
    'neutral': 'neutral',
    'happiness': 'happy',
    'surprise': 'surprise',
    'sadness': 'sad',
    'anger': 'angry',
    'disgust': 'disgust',
    'fear': 'fear',
    'contempt': 'contempt',
    'unknown': None,
    'NF': None,
}
# RAF-DB's order, so that one model serves both data sets.
CLASSES = {
    7: RAFDB.METAINFO['classes'],
    8: (*RAFDB.METAINFO['classes'], 'contempt'),
}
MEND = (
    f'{VOTES_FILE} comes from https://github.com/microsoft/FERPlus, fer2013.csv from '
    'https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-'
    'recognition-challenge; make the image folders of them by: '
    'python tools/dataset_converters/ferplus.py fer2013.csv fer2013new.csv DATA_ROOT'
)


class Votes(NamedTuple):
    """One row of ``fer2013new.csv``."""

    number: int
    line: str
    usage: str
    name: str
    votes: tuple[int, ...]


def read_votes(path: Path) -> Iterator[Votes]:
    """Read ``fer2013new.csv``.

    Args:
        path: The file.

    Yields:
        Every row. ``name`` is empty where FERPlus took the face out.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the header is another or a row is malformed: an unknown
            ``Usage``, a name with a path in it, a vote that is no count, or a
            named face without any vote.
    """
    columns = ('Usage', 'Image name', *CANDIDATES)
    for number, line, (usage, name, *votes) in read_table(path, columns, MEND):
        if usage not in FOLDERS:
            raise line_error(path, number, line, f'Usage to be one of {list(FOLDERS)}')
        if not all(VOTE.fullmatch(vote) for vote in votes):
            raise line_error(
                path, number, line, f'{len(CANDIDATES)} votes, each 0, 1, 2, ...'
            )
        votes = tuple(map(int, votes))
        if name:
            require_plain_name(path, number, line, name)
            if not any(votes):
                raise line_error(path, number, line, 'at least one vote')
        yield Votes(number, line, usage, name, votes)


@DATASETS.register_module()
class FERPlus(FaceDataset):
    """FER2013 with the labels of FERPlus, by the most votes.

    From `Training Deep Networks for Facial Expression Recognition with
    Crowd-Sourced Label Distribution (ICMI 2016)
    <https://arxiv.org/abs/1608.01041>`_. It reads the layout of `Microsoft's
    repository <https://github.com/microsoft/FERPlus>`_, which
    ``tools/dataset_converters/ferplus.py`` makes: ::

        data_root
        ├── fer2013new.csv
        ├── FER2013Train    split 'train', Usage Training
        │   ├── fer0000000.png
        │   └── ...
        ├── FER2013Valid    split 'val', Usage PublicTest
        │   └── ...
        └── FER2013Test     split 'test', Usage PrivateTest
            └── ...

    **Label.** Ten people vote for one of eight expressions, ``unknown`` or
    ``NF`` (no face). The winner is the first of the ten columns, in the csv's
    order, with the most votes; no majority is asked for. A face is kept if the
    winner is one of the ``num_classes`` expressions. Rows without an image
    name are left out. That gives

    =========== ====== ===== =====
    num_classes train  val   test
    =========== ====== ===== =====
    7           28,224 3,529 3,519
    8           28,389 3,553 3,546
    =========== ====== ===== =====

    of 28,561 / 3,579 / 3,574 named rows. The seven-class sizes are those used
    in the literature on noisy labels.

    **Ties.** Of the kept faces 1,446 / 157 / 169 (8 classes: 1,449 / 157 /
    170) have a tie for the first place and take the leftmost column, which
    favours neutral, the first. Of the seven-class ones, 1,150 / 117 / 142 tie
    among the seven alone; in the other 296 / 40 / 27 contempt, unknown or NF
    has as many votes and loses, being further right. Of the kept faces 6,491 /
    675 / 799 (8 classes: 6,578 / 691 / 817) have a winner with no more than
    half of the votes.

    **Repeats.** Three pictures are listed twice in the training split with
    the same votes: fer0006953.png, fer0008403.png and fer0011785.png. Both
    rows count, as in the sizes above, so ``name`` is not unique there; the
    images are 28,221. A name that is kept with two labels is an error.

    **Classes.** The order is RAF-DB's, not the csv's, so that one model serves
    both data sets:

    ===== ======== =========  ===== ======== =========
    label class    csv        label class    csv
    ===== ======== =========  ===== ======== =========
    0     surprise surprise   4     sad      sadness
    1     fear     fear       5     angry    anger
    2     disgust  disgust    6     neutral  neutral
    3     happy    happiness  7     contempt contempt
    ===== ======== =========  ===== ======== =========

    Each sample has ``img_path``, ``gt_label`` and ``name``, the image name in
    the csv, by which a file of noisy labels finds its sample.

    Args:
        data_root: The folder that holds the csv and the three folders.
        split: ``'train'``, ``'val'`` or ``'test'``. Defaults to ``'train'``.
        num_classes: 7, or 8 with contempt. Defaults to 7.
        **kwargs: ``on_bad_image`` of :class:`FaceDataset`, and what
            :class:`mmpretrain.datasets.BaseDataset` takes. ``max_refetch``
            defaults to 0 here: a face that cannot be read stops the run and is
            never replaced by another one.

    Raises:
        FileNotFoundError: If a folder, the csv or a listed image is missing.
        ValueError: If ``split`` or ``num_classes`` is unknown, the split has no
            face, or a row of the csv is malformed or contradicts another.
    """

    METAINFO = {'classes': CLASSES[7]}

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        num_classes: int = 7,
        **kwargs,
    ):
        require_choice('split', split, tuple(USAGES))
        require_choice('num_classes', num_classes, tuple(CLASSES))
        self.split = split
        self.num_classes = num_classes
        kwargs.setdefault('classes', CLASSES[num_classes])
        super().__init__(
            ann_file=VOTES_FILE,
            data_root=str(Path(data_root).expanduser()),
            data_prefix=FOLDERS[USAGES[split]],
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Read the faces of the split.

        Returns:
            ``img_path``, ``gt_label`` and ``name`` of each, in the csv's order.
        """
        require_folder(Path(self.data_root), MEND)
        folder = Path(self.img_prefix)
        faces = self._labelled_faces()
        require_faces(
            faces,
            self.ann_file,
            self.split,
            f"Its rows should have Usage '{USAGES[self.split]}', an image name and "
            'most votes for an expression.',
        )
        require_images(folder, (name for name, _ in faces), MEND, self.ann_file)
        return [
            {'img_path': str(folder / name), 'gt_label': label, 'name': name}
            for name, label in faces
        ]

    def _labelled_faces(self) -> list[tuple[str, int]]:
        """The name and label of every face of the split that is kept."""
        classes = CLASSES[self.num_classes]
        winners = tuple(CANDIDATES.values())
        faces: list[tuple[str, int]] = []
        seen: dict[str, tuple[int, int]] = {}
        for row in read_votes(Path(self.ann_file)):
            if not row.name or row.usage != USAGES[self.split]:
                continue
            # index() finds the first of equal counts: that is the rule for ties.
            winner = winners[row.votes.index(max(row.votes))]
            if winner not in classes:
                continue
            label = classes.index(winner)
            first, known = seen.setdefault(row.name, (row.number, label))
            if label != known:
                raise line_error(
                    Path(self.ann_file),
                    row.number,
                    row.line,
                    f'the label of line {first}, {classes[known]!r}, for the same '
                    f'image; the votes say {winner!r}',
                )
            faces.append((row.name, label))
        return faces
