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
    trials = interleave([range(cases)], repeats, seed)
    assert [trial.id for trial in trials] == list(range(1, cases * repeats + 1))
    for start in range(0, len(trials), cases):
        part = trials[start : start + cases]
        assert {trial.case for trial in part} == set(range(cases))
        assert len({trial.repeat for trial in part}) == 1


@given(groups=st.lists(st.integers(1, 6), min_size=1, max_size=4), seed=st.integers())
def test_a_board_changes_its_power_mode_once_for_each(groups: list[int], seed: int) -> None:
    """All rounds of one group of cases come before those of the next."""
    numbers = iter(range(sum(groups)))
    modes = [[next(numbers) for _ in range(size)] for size in groups]
    mode_of = {case: mode for mode, cases in enumerate(modes) for case in cases}
    order = [mode_of[trial.case] for trial in interleave(modes, 3, seed)]
    assert order == sorted(order)
    assert Counter(order) == {mode: 3 * size for mode, size in enumerate(groups)}


@given(seed=st.integers())
def test_a_seed_gives_the_same_order_again(seed: int) -> None:
    """A sweep's order can be reproduced from what is stored with it."""
    assert interleave([range(5)], 3, seed) == interleave([range(5)], 3, seed)


def test_no_case_always_follows_the_same_other_one() -> None:
    """Over the rounds the neighbours change."""
    trials = interleave([range(4)], 40, seed=0)
    pairs = Counter((a.case, b.case) for a, b in pairwise(trials))
    assert max(pairs.values()) < 40
    assert len(pairs) >= 12
