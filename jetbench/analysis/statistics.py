"""Statistics over processes."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from jetbench.domain.record import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

_UPPER = 0.975
"""Where a two-sided interval of 95 % ends."""


def summarize(values: Sequence[float]) -> Summary | None:
    """Statistics of one number over the processes of a case; None where there is none.

    ``ci95`` is the 95 % confidence interval of the mean by Student's t, mean ± t s/√n with
    n - 1 degrees of freedom: of the mean, because one of the median that holds for any
    distribution needs six processes, and three are the rule. A single process has none.

    Args:
        values: One number a process, milliseconds, in the order of the trials.
    """
    if not values:
        return None
    n, mean = len(values), statistics.fmean(values)
    stdev = ci95 = None
    if n > 1:
        stdev = statistics.stdev(values)
        half_width = margin95(stdev / math.sqrt(n), n - 1)
        ci95 = (mean - half_width, mean + half_width)
    return Summary(
        n=n,
        median=statistics.median(values),
        mean=mean,
        min=min(values),
        max=max(values),
        stdev=stdev,
        ci95=ci95,
        values=tuple(values),
    )


def margin95(standard_error: float, freedom: float) -> float:
    """Half the width of a 95 % confidence interval, in the unit of the standard error.

    Args:
        standard_error: Of what the interval is for.
        freedom: The degrees of freedom it was estimated with; need not be whole.
    """
    return quantile_t(_UPPER, freedom) * standard_error


def quantile_t(share: float, freedom: float) -> float:
    """Below which this share of Student's t lies, with that many degrees of freedom."""
    # A quarter of a second and 40 MB, for which only results of several processes pay;
    # scipy.stats, which has the same quantile, takes three times as long.
    from scipy.special import stdtrit  # noqa: PLC0415 - see above

    return float(stdtrit(freedom, share))


def two_sided_p(t: float, freedom: float) -> float:
    """How often |t| is this large or larger where there is no difference, by Student's t.

    Args:
        t: The statistic of a test.
        freedom: Its degrees of freedom; need not be whole.
    """
    # As above: scipy.stats has this as a test, and takes three times as long to import.
    from scipy.special import stdtr  # noqa: PLC0415 - see above

    return 2 * float(stdtr(freedom, -abs(t)))
