"""Leave samples out of a data set, such as those whose labels are suspect."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

from eac_mm.utils.files import write_atomically

from .held_out import Part
from .labels import Annotations
from .wrappers import walk


@DATASETS.register_module()
class LeftOut(Part):
    """All samples of a data set but those that a file lists.

    Each sample keeps its label and its ``sample_idx``.

    Args:
        dataset: A data set with labels, or its config, whose samples are numbered as
            those of the file; mostly a :class:`NoisyLabels`.
        file: Written by :func:`write_left_out`: a line for each sample that is left
            out, with its index and, after a tab, its name.

    Attributes:
        indices: The samples that are kept, in their order.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line names no sample of this data set, or none is kept.
    """

    def __init__(self, dataset: Dataset | dict, file: str | Path) -> None:
        dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        for inner in walk(dataset):
            if hasattr(inner, 'full_init'):
                inner.full_init()
        annotations = Annotations(dataset)
        labels = annotations.read_labels()
        left = set(_read(Path(file), annotations))
        kept = [index for index in range(len(labels)) if index not in left]
        if not kept:
            raise ValueError(
                f'{file} lists all {len(labels)} samples. Fix: list fewer of them.'
            )
        super().__init__(dataset, kept, labels[kept])


def write_left_out(
    file: str | Path, dataset: Dataset, indices: Iterable[int] | np.ndarray
) -> None:
    """Write which samples :class:`LeftOut` leaves out, atomically.

    Args:
        file: To write.
        dataset: The data set that numbers the samples.
        indices: Of the samples.
    """
    annotations = Annotations(dataset)
    lines = [f'{i}\t{_name(annotations, i)}\n' for i in map(int, indices)]
    write_atomically(Path(file), ''.join(lines).encode(errors='replace'))


def _name(annotations: Annotations, index: int) -> str:
    return ' '.join(annotations.name_of(index).splitlines())


def _read(file: Path, annotations: Annotations) -> Iterable[int]:
    text = file.read_text(encoding='utf-8', errors='replace')
    known = {str(index): index for index in range(len(annotations))}
    for number, line in enumerate(text.splitlines(), start=1):
        index, _, name = line.partition('\t')
        same = index in known and name.encode() == _name(
            annotations, known[index]
        ).encode(errors='replace')
        if not same:
            raise ValueError(
                f'{file}:{number}: {line!r} names no sample of this data set '
                f'({len(annotations)} samples). Fix: give the file that was written '
                'for it.'
            )
        yield known[index]
