"""The order of the trials."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from jetbench.bench.plan import interleave


@given(cases=st.integers(1, 30), repeats=st.integers(1, 12), seed=st.integers())
def test_every_round_holds_every_case_once(cases: int, repeats: int, seed: int) -> None:
    """A drift of the board hits all cases alike: no case is ahead by more than one trial."""
    trials = interleave(cases, repeats, seed)
    assert [trial.id for trial in trials] == list(range(1, cases * repeats + 1))
    for start in range(0, len(trials), cases):
        part = trials[start : start + cases]
        assert {trial.case for trial in part} == set(range(cases))
        assert len({trial.repeat for trial in part}) == 1


@given(seed=st.integers())
def test_a_seed_gives_the_same_order_again(seed: int) -> None:
    """A sweep's order can be reproduced from what is stored with it."""
    assert interleave(5, 3, seed) == interleave(5, 3, seed)


def test_no_case_always_follows_the_same_other_one() -> None:
    """Over the rounds the neighbours change."""
    trials = interleave(4, 40, seed=0)
    pairs = Counter((a.case, b.case) for a, b in pairwise(trials))
    assert max(pairs.values()) < 40
    assert len(pairs) >= 12
