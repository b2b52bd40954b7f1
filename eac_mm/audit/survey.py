"""Survey the images of a data set: which cannot be read, and which are repeated."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral
from typing import NamedTuple

from torch.utils.data import Dataset

from eac_mm.datasets.images.decoding import JPEG, PNG, decode
from eac_mm.datasets.images.loading import LoadFace
from eac_mm.utils.image_formats import UnreadableImage, open_image
from eac_mm.utils.threads import in_threads

ORIENTATION = 0x0112


class ImageFacts(NamedTuple):
    """What was found out about an image file.

    Attributes:
        path: Its path.
        fault: Why it cannot be used, or None if it can.
        sha256: Digest of its content.
        size: Width and height in pixels, after rotation by EXIF.
        kinds: The conversions it needs: ``'grey'``, ``'16-bit'``, ``'palette'``,
            ``'CMYK'``, ``'transparent'``, ``'rotated'``.
    """

    path: str
    fault: str | None = None
    sha256: str | None = None
    size: tuple[int, int] | None = None
    kinds: tuple[str, ...] = ()


@dataclass
class Group:
    """The entries of one image: the same file, or files of the same content.

    Args:
        paths: The files.
        labels: Class name of each entry that lists one of them.
        splits: Split of each entry.
    """

    paths: list[str]
    labels: list[str]
    splits: list[str]

    @property
    def disagrees(self) -> bool:
        """Whether there is more than one label."""
        return len(set(self.labels)) > 1


@dataclass
class Survey:
    """The findings in one split.

    Args:
        split: Its name.
        classes: Number of entries of each class.
        labels: Class name of each entry.
        paths: Image of each entry; empty for a data set in memory.
        facts: The facts about each image, by path.
        error: Why the data set could not be loaded, or None if it could.
    """

    split: str
    classes: dict[str, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    facts: dict[str, ImageFacts] = field(default_factory=dict)
    error: str | None = None

    @property
    def in_memory(self) -> bool:
        """Whether there are samples, but no files."""
        return bool(self.labels) and not self.paths

    @property
    def empty_classes(self) -> list[str]:
        """Classes without an entry."""
        return [name for name, count in self.classes.items() if not count]

    @property
    def unreadable(self) -> list[ImageFacts]:
        """Images that cannot be used."""
        return [facts for facts in self.facts.values() if facts.fault]

    @property
    def kinds(self) -> dict[str, int]:
        """Number of images of each kind that needs conversion."""
        kinds = Counter(k for facts in self.facts.values() for k in facts.kinds)
        return dict(sorted(kinds.items()))

    @property
    def sizes(self) -> tuple[ImageFacts, ImageFacts] | None:
        """The images with the fewest and the most pixels."""
        sized = [facts for facts in self.facts.values() if facts.size]
        if not sized:
            return None
        area = {facts.path: facts.size[0] * facts.size[1] for facts in sized}
        ordered = sorted(sized, key=lambda facts: area[facts.path])
        return ordered[0], ordered[-1]


def examine(loader: LoadFace, path: str) -> ImageFacts:
    """Read an image and collect the facts about it."""
    try:
        data = loader.read_bytes(path)
        height, width = decode(data).shape[:2]
    except UnreadableImage as error:
        return ImageFacts(path, fault=str(error))
    digest = hashlib.sha256(data).hexdigest()
    return ImageFacts(path, None, digest, (width, height), _kinds(data))


def _kinds(data: bytes) -> tuple[str, ...]:
    """List the conversions that an image needs to become 8-bit BGR."""
    try:
        return _read_kinds(data)
    # Pillow may fail, in many ways, on an image that OpenCV has decoded.
    except Exception:
        return ()


def _read_kinds(data: bytes) -> tuple[str, ...]:
    with open_image(data) as image:
        deep = data.startswith(PNG) and data[24] == 16
        found = {
            'grey': image.mode in ('1', 'L', 'LA') or image.mode.startswith('I'),
            '16-bit': deep or image.mode.startswith('I'),
            'palette': image.mode == 'P',
            'CMYK': image.mode == 'CMYK',
            'transparent': image.has_transparency_data,
        }
        # Of a PNG file, Pillow would search all chunks for it; others lack it.
        rotated = data.startswith(JPEG) and image.getexif().get(ORIENTATION, 1) != 1
        return tuple(k for k, yes in (*found.items(), ('rotated', rotated)) if yes)


def survey(
    dataset: Dataset,
    split: str,
    loader: LoadFace,
    workers: int | None = None,
    on_start: Callable[[int], None] = lambda total: None,
    on_image: Callable[[], None] = lambda: None,
) -> Survey:
    """Read every image of a data set and collect the findings.

    Args:
        dataset: The data set, with its clean labels.
        split: Its name in the result.
        loader: Reads its images.
        workers: Number of threads. Defaults to the number of CPUs, at most 16.
        on_start: Called with the number of images to read.
        on_image: Called after each of them.

    Raises:
        ValueError: If a label is out of range, or there are no class names.
    """
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    names = dataset.metainfo.get('classes')
    if not names:
        raise ValueError(
            f'{type(dataset).__name__} has no class names. Fix: set '
            'metainfo=dict(classes=[...]) in it, in the order of its labels.'
        )
    _require_labels(infos, len(names))
    labels = [names[info['gt_label']] for info in infos]
    counts = Counter(labels)
    result = Survey(split, {name: counts[name] for name in names}, labels)
    if any('img' in info or 'img_path' not in info for info in infos):
        return result
    result.paths = [str(info['img_path']) for info in infos]
    files = list(dict.fromkeys(result.paths))
    on_start(len(files))
    for facts in in_threads(partial(examine, loader), files, workers):
        result.facts[facts.path] = facts
        on_image()
    return result


def _require_labels(infos: Sequence[dict], num_classes: int) -> None:
    for i, info in enumerate(infos):
        label = info.get('gt_label')
        if not isinstance(label, Integral) or not 0 <= label < num_classes:
            raise ValueError(
                f'sample {i} ({info.get("img_path", "in memory")}) has the label '
                f'{label!r}; one integer from 0 to {num_classes - 1} is allowed. Fix: '
                'correct the list of labels, or the class names.'
            )


def listed_twice(surveys: Sequence[Survey]) -> list[Group]:
    """Find files that are listed more than once, in one split or in several."""
    groups = _group(surveys, lambda facts: facts.path)
    return [group for group in groups if len(group.labels) > 1]


def identical_files(surveys: Sequence[Survey]) -> list[Group]:
    """Find different files of the same content, in one split or in several."""
    groups = _group(surveys, lambda facts: facts.sha256)
    return [group for group in groups if len(group.paths) > 1]


def _group(
    surveys: Sequence[Survey], key: Callable[[ImageFacts], str | None]
) -> Iterable[Group]:
    groups: dict[str, Group] = defaultdict(lambda: Group([], [], []))
    for found in surveys:
        labels = [] if found.in_memory else found.labels
        for path, label in zip(found.paths, labels, strict=True):
            name = key(found.facts[path])
            if name is None:
                continue
            group = groups[name]
            if path not in group.paths:
                group.paths.append(path)
            group.labels.append(label)
            group.splits.append(found.split)
    return groups.values()
