"""The nights of real boards, as far as no board is needed."""

from __future__ import annotations

import pytest

from benchmarks.bench_nights import highest_rate


@pytest.mark.parametrize(
    ("alarms", "cases", "expected"),
    [(0, 3000, 0.000998), (0, 1, 0.95), (1, 20, 0.2161), (2, 2, 1.0), (0, 0, 1.0)],
)
def test_the_rate_that_may_still_be_is_that_of_the_tables(
    alarms: int, cases: int, expected: float
) -> None:
    """One-sided limits of Clopper and Pearson at 95 %; of no case, anything may be."""
    assert highest_rate(alarms, cases) == pytest.approx(expected, rel=1e-3)
