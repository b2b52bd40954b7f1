"""The noise model: what is a function of (labels, kind, rate, seed) alone.

Kinds that look at a sample's votes or image have modules of their own.
"""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real

import numpy as np

KINDS = ('symmetric', 'uniform', 'asymmetric', 'annotator', 'instance')

# {from: to} by class name, or an L x L matrix
Transition = Mapping[str, str] | Sequence[Sequence[float]]


def check_kind(kind: str) -> None:
    """Check a kind of noise.

    Raises:
        ValueError: If the kind is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f'noise kind {kind!r} is unknown. Fix: choose one of {KINDS}.')


def check_rate(rate: float) -> None:
    """Check a noise rate.

    Raises:
        ValueError: If the rate is not in [0, 1).
    """
    number = isinstance(rate, Real) and not isinstance(rate, bool)
    if not number or not 0 <= rate < 1:
        raise ValueError(
            f'noise rate {rate!r} is not in [0, 1). Fix: give the share of labels to '
            'change; 0.3 changes about 30 %.'
        )


def check_seed(seed: int) -> None:
    """Check a noise seed.

    Raises:
        ValueError: If the seed is no integer from 0. None is refused too: each
            rank and each resumed run would draw other labels.
    """
    number = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not number or seed < 0:
        raise ValueError(
            f'noise seed {seed!r} is not allowed. Fix: give an integer, 0 or more.'
        )


def check_options(kind: str, rate: float, transition: Transition | None) -> None:
    """Check that a kind of noise takes the rate and the transition.

    Raises:
        ValueError: If the kind or the rate is not allowed, or the kind takes no rate or
            no transition.
    """
    check_kind(kind)
    check_rate(rate)
    if kind == 'annotator' and rate:
        raise ValueError(
            f'annotator noise has the rate of the votes. Fix: leave out rate={rate}.'
        )
    if kind != 'asymmetric' and transition is not None:
        raise ValueError(
            f'{kind} noise takes no transition. Fix: kind="asymmetric" to use it, or '
            'leave it out.'
        )


def number_classes(classes: Sequence[str]) -> dict[str, int]:
    """Return the label of each class name.

    Raises:
        ValueError: If a name cannot stand for a label in a file or a transition:
            two classes share it, it is empty, or it holds a tab or a line break.
    """
    numbers = {name: label for label, name in enumerate(classes)}
    for label, name in enumerate(classes):
        if numbers[name] != label or '\t' in name or name.splitlines() != [name]:
            raise ValueError(
                f'class {label} is called {name!r}: each class needs a name of its '
                'own, not empty, without tabs and line breaks. Fix: give the data set '
                'metainfo=dict(classes=[...]) with such names.'
            )
    return numbers


def transition_matrix(
    kind: str,
    rate: float,
    classes: Sequence[str],
    transition: Transition | None = None,
) -> np.ndarray:
    """Return the probability of each noisy label (column) for each clean one (row).

    Args:
        kind: ``'symmetric'`` moves a label with probability ``rate`` to one of
            the other classes, all equally likely (as in the lists of the EAC
            authors, and in SCN); ``'uniform'`` draws a label anew with probability
            ``rate``, from all classes alike, its own included (as in most work on
            CIFAR), so that a share of ``rate * (L - 1) / L`` is wrong: 18 % of 10
            classes at 0.2; ``'asymmetric'`` follows ``transition``.
        rate: In [0, 1).
        classes: Names of the L classes.
        transition: For asymmetric noise only. Either ``{from: to}`` by class
            name: each class named moves with probability ``rate``, the others
            stay. Or an L x L matrix whose rows sum to 1; it holds the rates
            itself, so ``rate`` must be 0.

    Shape:
        - Output: (L, L), rows summing to 1

    Raises:
        ValueError: For an unknown kind or class, a rate outside [0, 1), or a
            malformed transition.
    """
    check_options(kind, rate, transition)
    if kind != 'asymmetric':
        return _even_matrix(kind, rate, len(classes))
    if transition is None or len(transition) == 0:
        size = len(classes)
        raise ValueError(
            f'asymmetric noise needs a transition, got {transition!r}. Fix: give '
            f'{{"fear": "surprise", ...}}, or a matrix of {size} x {size} whose rows '
            'sum to 1.'
        )
    if isinstance(transition, Mapping):
        return _pairwise_matrix(rate, classes, transition)
    return _checked_matrix(rate, len(classes), transition)


def _even_matrix(kind: str, rate: float, size: int) -> np.ndarray:
    """Return the matrix of noise that prefers no class: symmetric or uniform."""
    if size < 2:
        raise ValueError(
            f'{kind} noise needs two classes or more, got {size}. Fix: name all '
            'classes in metainfo=dict(classes=[...]).'
        )
    if kind == 'uniform':
        return (1 - rate) * np.eye(size) + rate / size
    matrix = np.full((size, size), rate / (size - 1))
    np.fill_diagonal(matrix, 1 - rate)
    return matrix


def _checked_matrix(
    rate: float, size: int, transition: Sequence[Sequence[float]]
) -> np.ndarray:
    """Return a transition matrix as an array, if it is one."""
    try:
        matrix = np.asarray(transition, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            f'transition {transition!r} is no matrix. Fix: give {{from: to}} by class '
            f'name, or {size} lists of {size} probabilities.'
        ) from None
    if matrix.shape != (size, size):
        raise ValueError(
            f'transition has shape {matrix.shape}; {size} classes need {size} x '
            f'{size}. Fix: give a row and a column for each class.'
        )
    if (matrix < 0).any() or not np.allclose(matrix.sum(1), 1, atol=1e-6):
        raise ValueError(
            'transition: every row must hold probabilities that sum to 1; the rows '
            f'sum to {matrix.sum(1).tolist()}. Fix: divide each row by its sum.'
        )
    if rate:
        raise ValueError(
            f'a transition matrix holds the rates itself. Fix: leave out rate={rate}.'
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
                    f'{tuple(classes)}. Fix: use these names.'
                )
        if source == target:
            raise ValueError(
                f'transition sends {source!r} to itself. Fix: leave it out.'
            )
        row, column = numbers[source], numbers[target]
        matrix[row, row], matrix[row, column] = 1 - rate, rate
    return matrix


def draw_labels(labels: np.ndarray, matrix: np.ndarray, seed: int) -> np.ndarray:
    """Draw a noisy label for each clean one, independently.

    Args:
        labels: Clean labels, integers of shape (N,).
        matrix: Transition matrix of shape (L, L).
        seed: Any integer from 0; the same seed gives the same labels.

    Returns:
        Noisy labels, int64 (N,).

    Raises:
        ValueError: If the seed is no integer from 0.
    """
    upper, draws = _cumulative(matrix), _draws(len(labels), seed)
    given = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        here = labels == label
        given[here] = np.searchsorted(upper[label], draws[here], side='right')
    return given


def draw_rows(shares: np.ndarray, seed: int) -> np.ndarray:
    """Draw a noisy label for each sample, which has probabilities of its own.

    Args:
        shares: Probabilities of shape (N, L), rows summing to 1.
        seed: Any integer from 0; the same seed gives the same labels.

    Returns:
        Noisy labels, int64 (N,).

    Raises:
        ValueError: If the seed is no integer from 0.
    """
    draws = _draws(len(shares), seed)
    return (_cumulative(shares) <= draws[:, None]).sum(1)


def _cumulative(shares: np.ndarray) -> np.ndarray:
    upper = shares.cumsum(1)
    return upper / upper[:, -1:]  # rounding must leave no gap below 1


def _draws(size: int, seed: int) -> np.ndarray:
    check_seed(seed)
    return np.random.default_rng(seed).random(size)
