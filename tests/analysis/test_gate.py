"""The gate of a night: two looks, and what they make believe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.analysis.compare import compare
from jetbench.analysis.gate import judge, suspected
from jetbench.analysis.statistics import summarize
from jetbench.domain.record import LayerTime
from tests import make

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.gate import Gate
    from jetbench.domain.record import Record

BEFORE = 10.0
SPREAD = (0.995, 1.0, 1.005)


def case(model: str, mean_ms: float, spread: Sequence[float] = SPREAD, **changes: Any) -> Record:  # noqa: ANN401 - fields of a record
    """A case of three processes."""
    times = summarize([mean_ms * each for each in spread])
    named = {"model": model, "prototxt_sha256": f"{model:0>64}", "forward_ms": times}
    return make.record(**named, **changes)


def gate(
    before: Sequence[Record], now: Sequence[Record], again: Sequence[Record] | None = None
) -> Gate:
    """The gate of a night."""
    return judge(
        compare(before, now),
        again,
        baseline="nightly",
        baseline_id="b",
        sweep_id="s",
        second_look_id=None if again is None else "l",
    )


OTHERS = [case(name, 20.0) for name in ("b", "c", "d")]


def test_a_night_like_the_baseline_is_green() -> None:
    """With nothing to look at again."""
    found = gate(OTHERS, OTHERS)
    assert (found.verdict, found.compared, found.suspicions) == ("green", 3, ())


def test_what_both_looks_see_is_believed() -> None:
    """With the sizes that each of them saw, and the times of both together."""
    found = gate([case("a", BEFORE), *OTHERS], [case("a", 11.0), *OTHERS], [case("a", 11.2)])
    assert found.verdict == "red"
    [slow] = found.regressions
    assert (slow.board, slow.model, slow.belief) == ("one", "a", "confirmed")
    assert slow.ratio == pytest.approx(1.10)
    assert slow.second_ratio == pytest.approx(1.12)
    assert slow.before_ms == pytest.approx(10.0)
    assert slow.now_ms == pytest.approx(11.1)
    assert slow.ratio_ci95[0] < 1.10 < slow.ratio_ci95[1]
    assert found.second_look_id == "l"


@pytest.mark.parametrize("again_ms", [9.0, 10.0, 10.29])
def test_what_only_the_first_look_sees_is_not_believed(again_ms: float) -> None:
    """It is said, and the night is green."""
    found = gate([case("a", BEFORE), *OTHERS], [case("a", 11.0), *OTHERS], [case("a", again_ms)])
    assert found.verdict == "green"
    assert [one.belief for one in found.suspicions] == ["not confirmed"]


def test_what_cannot_be_measured_again_is_neither_red_nor_green() -> None:
    """The second look was lost, or there was none."""
    before, now = [case("a", BEFORE), *OTHERS], [case("a", 11.0), *OTHERS]
    lost = case("a", 1.0, status="lost")
    for again in (None, [], [replace(lost, forward_ms=None)]):
        found = gate(before, now, again)
        assert found.verdict == "unconfirmed"
        assert [one.belief for one in found.suspicions] == ["not measured again"]


def test_a_small_difference_is_not_looked_at_again() -> None:
    """However certain it is: it does not matter in practice."""
    tight = (0.9999, 1.0, 1.0001)
    before, now = [case("a", BEFORE, tight)], [case("a", 10.29, tight)]
    assert suspected(compare(before, now)) == ()


def test_an_uncertain_difference_is_looked_at_again() -> None:
    """To look costs minutes: what the first look cannot tell the second one decides."""
    wide = (0.95, 1.0, 1.05)
    before, now = [case("a", BEFORE, wide)], [case("a", 10.6, wide)]
    [found] = suspected(compare(before, now))
    assert found.verdict == "too few"


def test_a_night_with_nothing_to_compare_is_not_green() -> None:
    """Nothing was measured, in another mode, or of other models only."""
    lost = replace(case("a", 1.0, status="lost", reasons=("no route",)), forward_ms=None)
    for now in ([lost], [case("a", BEFORE, batch=8)], [case("other", BEFORE)], []):
        found = gate([case("a", BEFORE)], now)
        assert (found.verdict, found.compared) == ("nothing compared", 0)
        assert len(found.no_verdict) == len(now) or found.no_verdict


def test_what_is_missing_is_said() -> None:
    """A case of the baseline that nobody measured, and one that the baseline has not."""
    found = gate([*OTHERS, case("gone", 5.0)], [*OTHERS, case("new", 50.0)])
    assert found.verdict == "green"
    assert [(one.model, one.why) for one in found.no_verdict] == [
        ("gone", "only in the baseline"),
        ("new", "not in the baseline"),
    ]


def test_the_layer_that_carries_it_is_named() -> None:
    """As the second look saw it."""

    def layers(slow_ms: float) -> tuple[LayerTime, ...]:
        return (
            *(LayerTime(f"conv{number}", "Convolution", 2.0, 4.0) for number in range(4)),
            LayerTime("pool", "Pooling", slow_ms, 0.1),
        )

    found = gate(
        [case("a", BEFORE, layers=layers(2.0))],
        [case("a", 11.5, layers=layers(3.5))],
        [case("a", 11.4, layers=layers(3.4))],
    )
    [slow] = found.regressions
    [layer] = slow.layers
    assert (layer.name, layer.before_ms, layer.now_ms) == ("pool", 2.0, 3.4)
    assert layer.share == pytest.approx(1.0)


@given(
    sizes=st.lists(st.floats(0.5, 2.0), min_size=1, max_size=5),
    again=st.lists(st.floats(0.5, 2.0), min_size=5, max_size=5),
)
def test_no_night_is_red_that_one_look_finds_in_order(
    sizes: list[float], again: list[float]
) -> None:
    """And none is green where something could not be looked at again."""
    before = [case(f"m{number}", BEFORE) for number in range(len(sizes))]
    now = [case(f"m{number}", BEFORE * size) for number, size in enumerate(sizes)]
    second = [case(f"m{number}", BEFORE * size) for number, size in enumerate(again[: len(sizes)])]
    found = gate(before, now, second)
    believed = {one.model for one in found.regressions}
    for number, (size, closer) in enumerate(zip(sizes, again, strict=False)):
        if min(size, closer) <= 1.03:
            assert f"m{number}" not in believed
    assert (found.verdict == "red") == bool(believed)
    alone = gate(before, now)
    assert (alone.verdict == "unconfirmed") == bool(alone.suspicions)


@pytest.mark.parametrize(
    ("noise", "belief"),
    [(None, "confirmed"), (0.0, "confirmed"), (0.01, "confirmed"), (0.02, "as usual")],
)
def test_what_its_nights_usually_differ_by_is_not_believed(
    noise: float | None, belief: str
) -> None:
    """Ten per cent are four standard deviations where two nights differ by 1.7 % each."""
    before, now = [case("a", BEFORE), *OTHERS], [case("a", 11.0), *OTHERS]
    asked: list[str] = []

    def noise_of(record: Record) -> float | None:
        asked.append(record.model)
        return noise

    found = judge(
        compare(before, now), [case("a", 11.0)], baseline="nightly", baseline_id="b",
        sweep_id="s", second_look_id="l", noise_of=noise_of,
    )  # fmt: skip
    assert [one.belief for one in found.suspicions] == [belief]
    assert found.verdict == ("red" if belief == "confirmed" else "green")
    assert asked == ["a"]
