"""Let several contenders take turns, so that all meet the same weather."""

from collections.abc import Callable
from statistics import median, quantiles

Contenders = dict[str, Callable[[], float]]


def measure(contenders: Contenders, rounds: int) -> dict[str, list[float]]:
    """Run every contender once a round, each round beginning with the next one.

    Args:
        contenders: By name, what runs and returns the seconds that it took.
        rounds: Rounds that count; one more before them does not.

    Returns:
        Seconds of each contender in each round.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            taken = contenders[name]()
            if number:
                seconds[name].append(taken)
    return seconds


def ratios(over: list[float], under: list[float]) -> list[float]:
    """``over / under`` round by round."""
    return [a / b for a, b in zip(over, under, strict=True)]


def summary(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    if len(values) < 2:
        return dict(median=values[0], low=values[0], high=values[0])
    low, _, high = quantiles(values, n=4, method='inclusive')
    return dict(median=median(values), low=low, high=high)
