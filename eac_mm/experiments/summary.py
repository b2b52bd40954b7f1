"""What several seeds come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from scipy.stats import t


@dataclass(frozen=True)
class Summary:
    """Mean of several values, and from two on how far to trust it.

    Attributes:
        mean: Arithmetic mean.
        deviation: Sample standard deviation (n - 1), None for a single value.
        low: Lower end of the 95 % interval of the mean (Student's t).
        high: Upper end of it.
    """

    mean: float
    deviation: float | None = None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        """Mean, and deviation where there is one."""
        if self.deviation is None:
            return f'{self.mean:.2f}'
        return f'{self.mean:.2f} ± {self.deviation:.2f}'


def summarise(values: Sequence[float | None]) -> Summary | None:
    """Summarise one value a seed; None where there is none or one is missing."""
    if not values or None in values:
        return None
    mean, n = fmean(values), len(values)
    if n == 1:
        return Summary(mean)
    deviation = stdev(values)
    half = float(t.ppf(0.975, n - 1)) * deviation / sqrt(n)
    return Summary(mean, deviation, mean - half, mean + half)


def spread(values: Sequence[float | None]) -> str:
    """Mean of the seeds, with the sample standard deviation from two on."""
    return str(summarise(values) or '-')
