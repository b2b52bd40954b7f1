"""Label noise as a function of (labels, kind, rate, seed) alone."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real

import numpy as np

KINDS = ('symmetric', 'asymmetric')

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
