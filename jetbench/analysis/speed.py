"""How many times as fast one thing is as another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.analysis.statistics import margin95, two_sided_p

if TYPE_CHECKING:
    from jetbench.domain.record import Summary


_FEWEST = 2
"""Processes, below which there is no spread."""


@dataclass(frozen=True, slots=True)
class RelativeSpeed:
    """A ratio of two mean times, with its uncertainty."""

    ratio: float
    """Of the means, slow over fast."""
    half_width: float
    """Of the ratio's 95 % confidence interval."""


def relative_speed(fast: Summary, slow: Summary) -> RelativeSpeed | None:
    """How many times as fast `fast` is as `slow`; None where that has no uncertainty.

    The ratio is that of the means, slow over fast. The two samples are independent and may
    spread differently: their relative standard errors s/(x̄√n) add in quadrature, with the
    degrees of freedom of Welch (1947) and Satterthwaite (1946). This is Welch's interval
    for the difference of the logarithms to first order, and Fieller's; the three cannot be
    told apart while processes spread by 5 % or less.
    """
    if fast.spread is None or slow.spread is None:
        return None
    ratio = slow.mean / fast.mean
    variances = [(summary.spread or 0.0) ** 2 / summary.n for summary in (fast, slow)]
    total = sum(variances)
    if total == 0:
        return RelativeSpeed(ratio, 0.0) if math.isfinite(ratio) else None
    # Shares of the whole, because the squares of very small variances would be 0.
    freedom = 1 / sum(
        (variance / total) ** 2 / (summary.n - 1)
        for variance, summary in zip(variances, (fast, slow), strict=True)
    )
    half_width = ratio * margin95(math.sqrt(total), freedom)
    return RelativeSpeed(ratio, half_width) if math.isfinite(half_width) else None


def welch_p(one: Summary, other: Summary) -> float | None:
    """Welch's test (1947) on the logarithms of two samples: the two-sided p-value.

    On the logarithms, because noise and slowdowns are parts of a time, not milliseconds, and
    because the tail of times is on their long side. None where a side has one process only, or
    where a time is not above 0.
    """
    samples = [[math.log(value) for value in side.values if value > 0] for side in (one, other)]
    if any(
        len(logs) < side.n or side.n < _FEWEST
        for logs, side in zip(samples, (one, other), strict=True)
    ):
        return None
    means = [math.fsum(logs) / len(logs) for logs in samples]
    difference = means[1] - means[0]
    # Not of the library, which is exact and takes most of the time of a long comparison.
    variances = [
        math.fsum((log - mean) ** 2 for log in logs) / (len(logs) - 1) / len(logs)
        for logs, mean in zip(samples, means, strict=True)
    ]
    total = sum(variances)
    if total == 0:
        # Simulated boards may have no noise; then nothing is left to chance.
        return 0.0 if difference else 1.0
    freedom = 1 / sum(
        (variance / total) ** 2 / (len(logs) - 1)
        for variance, logs in zip(variances, samples, strict=True)
    )
    return two_sided_p(difference / math.sqrt(total), freedom)
