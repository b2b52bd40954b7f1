"""Read FERPlus, the FER2013 faces with ten crowd-sourced votes each."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mmpretrain.registry import DATASETS

from ..readers import line_error, read_table, require_plain_name
from ..validate import require_choice, require_faces, require_folder
from .base import FaceDataset
from .expressions import CLASSES

VOTES_FILE = 'fer2013new.csv'
VOTE = re.compile('[0-9]{1,9}')
# Usage in the csv -> folder of the images, as Microsoft's own script names it.
FOLDERS = {
    'Training': 'FER2013Train',
    'PublicTest': 'FER2013Valid',
    'PrivateTest': 'FER2013Test',
}
USAGES = {'train': 'Training', 'val': 'PublicTest', 'test': 'PrivateTest'}
# Vote column -> our class, in the csv's order; None is no expression.
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
FIX = (
    f'Fix: get {VOTES_FILE} from https://github.com/microsoft/FERPlus and fer2013.csv '
    'from https://www.kaggle.com/c/challenges-in-representation-learning-facial-'
    'expression-recognition-challenge, and make the image folders by: '
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
        Every row. ``name`` is empty if FERPlus took the face out.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the header differs or a row is malformed: an unknown
            ``Usage``, a name with a path in it, a vote that is not a count, or a
            named face without any vote.
    """
    columns = ('Usage', 'Image name', *CANDIDATES)
    for number, line, (usage, name, *votes) in read_table(path, columns, FIX):
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
    """Read FER2013 with the labels of FERPlus, by the most votes.

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
    order, with the most votes; it needs no majority. A face is kept if the
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
    the csv, by which a file of noisy labels finds its sample. It also has
    ``votes``, ten counts (a tuple of int) in the order of the csv's columns, with
    the label that each column votes for:

    ===== ========= =====  ===== ======== ==========
    index csv       label  index csv      label
    ===== ========= =====  ===== ======== ==========
    0     neutral   6      5     disgust  2
    1     happiness 3      6     fear     1
    2     surprise  0      7     contempt 7, or none
    3     sadness   4      8     unknown  none
    4     anger     5      9     NF       none
    ===== ========= =====  ===== ======== ==========

    Contempt is label 7 of eight classes, and no label of seven. The counts of an
    official row add up to ten, of a single one to nine.

    Args:
        data_root: The folder that holds the csv and the three folders.
        split: ``'train'``, ``'val'`` or ``'test'``. Defaults to ``'train'``.
        num_classes: 7, or 8 with contempt. Defaults to 7.
        **kwargs: ``on_bad_image`` of :class:`FaceDataset`, and the arguments of
            :class:`mmpretrain.datasets.BaseDataset`. ``max_refetch`` defaults to
            0 here: a face that cannot be read stops the run and is never replaced
            by another one.

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

    @property
    def vote_labels(self) -> tuple[int | None, ...]:
        """Label of each column of ``votes``, None if it is no class in use."""
        classes = CLASSES[self.num_classes]
        return tuple(
            classes.index(name) if name in classes else None
            for name in CANDIDATES.values()
        )

    def load_data_list(self) -> list[dict]:
        """Read the faces of the split.

        Returns:
            ``img_path``, ``gt_label``, ``name`` and ``votes`` of each, in the csv's
            order.
        """
        require_folder(Path(self.data_root), FIX)
        folder = Path(self.img_prefix)
        faces = self._labelled_faces()
        require_faces(
            faces,
            self.ann_file,
            self.split,
            f"Fix: use one whose rows have Usage '{USAGES[self.split]}', an image name "
            'and most votes for an expression.',
        )
        self.require_images(folder, (f[0] for f in faces), FIX, self.ann_file)
        return [
            {
                'img_path': str(folder / name),
                'gt_label': label,
                'name': name,
                'votes': votes,
            }
            for name, label, votes in faces
        ]

    def _labelled_faces(self) -> list[tuple[str, int, tuple[int, ...]]]:
        """Return name, label and votes of the faces of the split that are kept."""
        classes = CLASSES[self.num_classes]
        winners = tuple(CANDIDATES.values())
        faces: list[tuple[str, int, tuple[int, ...]]] = []
        seen: dict[str, tuple[int, int]] = {}
        for row in read_votes(Path(self.ann_file)):
            if not row.name or row.usage != USAGES[self.split]:
                continue
            # index() finds the first of equal counts, which is the rule for ties.
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
            faces.append((row.name, label, row.votes))
        return faces
