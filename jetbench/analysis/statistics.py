"""Statistics over processes."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from jetbench.domain.record import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence


def summarize(values: Sequence[float]) -> Summary | None:
    """Statistics of one number over the processes of a case; None where there is none.

    Args:
        values: One number a process, milliseconds, in the order of the trials.
    """
    if not values:
        return None
    mean = statistics.fmean(values)
    stdev = statistics.stdev(values) if len(values) > 1 else None
    return Summary(
        n=len(values),
        median=statistics.median(values),
        mean=mean,
        min=min(values),
        max=max(values),
        stdev=stdev,
        ci95=None,
        values=tuple(values),
    )
