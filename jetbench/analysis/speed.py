"""How many times as fast one thing is as another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.analysis.statistics import margin95

if TYPE_CHECKING:
    from jetbench.domain.record import Summary


@dataclass(frozen=True, slots=True)
class RelativeSpeed:
    """A ratio of two mean times, with its uncertainty."""

    ratio: float
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
