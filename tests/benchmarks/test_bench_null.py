"""The null test, as far as no board is needed."""

from __future__ import annotations

from benchmarks.bench_null import BOARDS, LIMIT, alarms, synthetic_pairs
from benchmarks.synthetic import TIMES_MS

PAIRS = 25


def test_two_sweeps_of_the_same_thing_do_not_differ() -> None:
    """Fewer false alarms than one in 1,000 cases; and nearly all cases have a verdict."""
    counts = synthetic_pairs(PAIRS, seed=1)
    cases = sum(counts.values())
    assert cases == PAIRS * BOARDS * len(TIMES_MS)
    assert alarms(counts) <= LIMIT * cases
    assert counts["same"] >= 0.9 * cases
    assert set(counts) <= {"same", "too few"}
