"""Label noise as a function of (labels, kind, rate, seed), and its files."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from pathlib import Path

import numpy as np

KINDS = ('symmetric', 'asymmetric')
MAGIC = '# eac_mm label noise 1'
REWRITE = 'Mend: write it again with tools/make_noise.py.'

# {from: to} by class name, or an L x L matrix
Transition = Mapping[str, str] | Sequence[Sequence[float]]


def check_kind(kind: str) -> None:
    """Refuse an unknown kind of noise.

    Raises:
        ValueError: With the kinds there are.
    """
    if kind not in KINDS:
        raise ValueError(f'noise kind {kind!r}: choose one of {KINDS}.')


def check_rate(rate: float) -> None:
    """Refuse a noise rate outside [0, 1).

    Raises:
        ValueError: With what was given and what is allowed.
    """
    number = isinstance(rate, Real) and not isinstance(rate, bool)
    if not number or not 0 <= rate < 1:
        raise ValueError(
            f'noise rate {rate!r}: give the share of labels to change, in [0, 1); '
            '0.3 changes about 30 %.'
        )


def check_seed(seed: int) -> None:
    """Refuse a noise seed that does not settle the labels.

    Raises:
        ValueError: With what was given and what is allowed. None is refused
            too: each rank and each resumed run would draw other labels.
    """
    number = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not number or seed < 0:
        raise ValueError(f'noise seed {seed!r}: give an integer, 0 or more.')


def number_classes(classes: Sequence[str]) -> dict[str, int]:
    """The label of each class name.

    Raises:
        ValueError: Where a name cannot stand for a label in a file or a
            transition, because two classes share it or it holds a tab or a
            line break.
    """
    numbers = {name: label for label, name in enumerate(classes)}
    for label, name in enumerate(classes):
        if numbers[name] != label or '\t' in name or name.splitlines() != [name]:
            raise ValueError(
                f'class {label} is called {name!r}: a name must be of one class '
                'alone, not empty, and without tabs and line breaks. Mend: give the '
                'data set metainfo=dict(classes=[...]) with such names.'
            )
    return numbers


def transition_matrix(
    kind: str,
    rate: float,
    classes: Sequence[str],
    transition: Transition | None = None,
) -> np.ndarray:
    """The chance that a clean label (row) is given as another (column).

    Args:
        kind: ``'symmetric'`` moves a label with probability ``rate`` to one of
            the other classes, all alike (as the EAC authors' lists, and SCN's);
            ``'asymmetric'`` follows ``transition``.
        rate: In [0, 1).
        classes: Names of the L classes.
        transition: For asymmetric noise, ``{from: to}`` by class name, where
            each class named moves with probability ``rate`` and the others
            stay; or an L x L matrix whose rows sum to 1, which then says all
            (``rate`` must be 0).

    Returns:
        Array of shape (L, L), rows summing to 1.

    Raises:
        ValueError: For an unknown kind or class, a rate outside [0, 1), or a
            transition that is none.
    """
    check_kind(kind)
    check_rate(rate)
    size = len(classes)
    if kind == 'symmetric':
        if transition is not None:
            raise ValueError(
                'symmetric noise takes no transition; say kind="asymmetric" to use one.'
            )
        if size < 2:
            raise ValueError(f'symmetric noise needs two classes or more, got {size}.')
        matrix = np.full((size, size), rate / (size - 1))
        np.fill_diagonal(matrix, 1 - rate)
        return matrix
    if transition is None or len(transition) == 0:
        raise ValueError(
            'asymmetric noise needs transition: {"fear": "surprise", ...} or a '
            f'matrix of {size} x {size} whose rows sum to 1; got {transition!r}.'
        )
    if isinstance(transition, Mapping):
        return _pairwise_matrix(rate, classes, transition)
    try:
        matrix = np.asarray(transition, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            f'transition {transition!r}: give {{from: to}} by class name, or '
            f'{size} lists of {size} probabilities.'
        ) from None
    if matrix.shape != (size, size):
        raise ValueError(
            f'transition has shape {matrix.shape}; {size} classes need {size} x {size}.'
        )
    if (matrix < 0).any() or not np.allclose(matrix.sum(1), 1, atol=1e-6):
        raise ValueError(
            'transition: every row must hold probabilities that sum to 1; the rows '
            f'sum to {matrix.sum(1).tolist()}.'
        )
    if rate:
        raise ValueError(
            f'a transition matrix holds the rates itself; leave out rate={rate}.'
        )
    return matrix


def _pairwise_matrix(
    rate: float, classes: Sequence[str], transition: Mapping[str, str]
) -> np.ndarray:
    numbers = number_classes(classes)
    matrix = np.eye(len(classes))
    for source, target in transition.items():
        for name in (source, target):
            if name not in numbers:
                raise ValueError(
                    f'transition names the class {name!r}; the data set has '
                    f'{tuple(classes)}.'
                )
        if source == target:
            raise ValueError(f'transition sends {source!r} to itself; leave it out.')
        row, column = numbers[source], numbers[target]
        matrix[row, row], matrix[row, column] = 1 - rate, rate
    return matrix


def draw_labels(labels: np.ndarray, matrix: np.ndarray, seed: int) -> np.ndarray:
    """Draw given labels from clean ones, each on its own.

    Args:
        labels: Clean labels, integers of shape (N,).
        matrix: Transition matrix of shape (L, L).
        seed: Any integer from 0; the same seed gives the same labels.

    Returns:
        Given labels of shape (N,), int64.

    Raises:
        ValueError: For a seed that is none.
    """
    check_seed(seed)
    upper = matrix.cumsum(1)
    upper /= upper[:, -1:]  # rounding must leave no gap below 1
    draws = np.random.default_rng(seed).random(len(labels))
    given = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        here = labels == label
        given[here] = np.searchsorted(upper[label], draws[here], side='right')
    return given


def hash_labels(labels: np.ndarray, classes: Sequence[str]) -> str:
    """SHA-256 of the labels' class names in order, whatever their numbers."""
    names = '\n'.join(classes[label] for label in labels)
    return hashlib.sha256(names.encode()).hexdigest()


@dataclass(frozen=True)
class NoiseManifest:
    """What a noise file says of itself.

    Args:
        kind: ``'symmetric'``, ``'asymmetric'``, or ``'file'`` for labels read from one.
        rate: Rate asked for; 0 where a transition matrix or a file says it all.
        measured_rate: Share of labels that differ from the clean ones.
        seed: Seed of the draw.
        transition: Of asymmetric noise, as given; else None.
        classes: Class names in the order of the numbers used below.
        clean_counts: Clean labels per class.
        changed_counts: Changed labels per clean class.
        clean_sha256: :func:`hash_labels` of the clean labels.
        given_sha256: The same of the given labels.
    """

    kind: str
    rate: float
    measured_rate: float
    seed: int
    transition: Transition | None
    classes: tuple[str, ...]
    clean_counts: tuple[int, ...]
    changed_counts: tuple[int, ...]
    clean_sha256: str
    given_sha256: str

    @classmethod
    def describe(
        cls,
        clean: np.ndarray,
        given: np.ndarray,
        classes: Sequence[str],
        kind: str,
        rate: float,
        seed: int,
        transition: Transition | None = None,
    ) -> 'NoiseManifest':
        """The manifest of ``given`` against ``clean`` labels."""
        changed = given != clean
        size = len(classes)
        return cls(
            kind=kind,
            rate=float(rate),
            measured_rate=round(float(changed.mean()), 6),
            seed=int(seed),
            transition=_as_json(transition),
            classes=tuple(classes),
            clean_counts=tuple(np.bincount(clean, minlength=size).tolist()),
            changed_counts=tuple(np.bincount(clean[changed], minlength=size).tolist()),
            clean_sha256=hash_labels(clean, classes),
            given_sha256=hash_labels(given, classes),
        )


def _as_json(transition: Transition | None) -> Transition | None:
    """What comes back when the transition is written as JSON and read."""
    if transition is None:
        return None
    if isinstance(transition, Mapping):
        return dict(transition)
    return np.asarray(transition, dtype=float).tolist()


def write_noise_file(
    path: str | Path,
    manifest: NoiseManifest,
    given: np.ndarray,
    names: Sequence[str],
) -> None:
    """Write given labels, one a line: index, class name, sample name.

    The first line names the format, the second holds the manifest as JSON.
    The file appears whole or not at all.

    Raises:
        ValueError: For class names that :func:`number_classes` refuses.
    """
    number_classes(manifest.classes)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [MAGIC, f'# {json.dumps(asdict(manifest))}']
    lines += [
        f'{index}\t{manifest.classes[label]}\t{" ".join(name.splitlines())}'
        for index, (label, name) in enumerate(zip(given, names, strict=True))
    ]
    part = path.with_name(f'{path.name}.part{os.getpid()}')
    part.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    part.replace(path)


def is_noise_file(path: str | Path) -> bool:
    """Whether the file starts as :func:`write_noise_file`'s do."""
    with Path(path).open(encoding='utf-8-sig', errors='replace') as file:
        return file.readline().rstrip('\n') == MAGIC


def read_noise_file(
    path: str | Path, clean: np.ndarray, classes: Sequence[str]
) -> tuple[NoiseManifest, np.ndarray]:
    """Read given labels, and check that they belong to these clean labels.

    Args:
        path: A file made by :func:`write_noise_file`.
        clean: Clean labels of the data set, shape (N,).
        classes: Its class names.

    Returns:
        The manifest, and given labels of shape (N,) in the data set's numbers.

    Raises:
        ValueError: For a malformed line (with its number), labels of another
            data set, or a file that disagrees with its own manifest.
    """
    path = Path(path)
    # utf-8-sig drops the mark that Windows editors put first; 'replace' leaves
    # it to the checks below to complain, with the number of the line.
    lines = path.read_text(encoding='utf-8-sig', errors='replace').splitlines()
    manifest = _read_manifest(path, lines)
    if manifest.clean_sha256 != hash_labels(clean, classes):
        raise ValueError(
            f'{path} was made for other clean labels: it describes '
            f'{sum(manifest.clean_counts)} samples of {manifest.classes}, the data '
            f'set has {len(clean)} of {tuple(classes)}, and the hashes of the labels '
            'differ. Mend: make a file for this data set with tools/make_noise.py.'
        )
    given = _read_given(path, lines, number_classes(classes))
    if len(given) != len(clean):
        raise ValueError(
            f'{path} has {len(given)} labels for {len(clean)} samples: it was cut or '
            f'added to. {REWRITE}'
        )
    if manifest.given_sha256 != hash_labels(given, classes):
        raise ValueError(
            f'{path} was edited: its labels are not those that its manifest was '
            f'written for. {REWRITE}'
        )
    return manifest, given


def _read_manifest(path: Path, lines: list[str]) -> NoiseManifest:
    try:
        fields = json.loads(lines[1].removeprefix('# '))
        for name in ('classes', 'clean_counts', 'changed_counts'):
            fields[name] = tuple(fields[name])
        manifest = NoiseManifest(**fields)
        sum(manifest.clean_counts)
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f'{path}:2: not a manifest ({type(error).__name__}: {error}). {REWRITE}'
        ) from None
    return manifest


def _read_given(path: Path, lines: list[str], numbers: dict[str, int]) -> np.ndarray:
    given = []
    for line_number, line in enumerate(lines[2:], start=3):
        parts = line.split('\t', 2)
        if len(parts) != 3 or parts[0] != str(len(given)) or parts[1] not in numbers:
            raise ValueError(
                f'{path}:{line_number}: {line!r}: expected the index {len(given)}, a '
                f'class of {tuple(numbers)} and the name of the sample, separated by '
                f'tabs. {REWRITE}'
            )
        given.append(numbers[parts[1]])
    return np.asarray(given, dtype=np.int64)
