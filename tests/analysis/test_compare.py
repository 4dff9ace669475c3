"""Two sets of records, case by case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.bench_null import rate_found
from jetbench.analysis.compare import compare, compare_case
from jetbench.analysis.statistics import summarize, two_sided_p
from jetbench.domain.facts import PowerMode
from tests import make

if TYPE_CHECKING:
    from jetbench.domain.record import Record, Summary


def times(*values: float) -> Summary | None:
    """The summary of some processes."""
    return summarize(values)


def slowed(factor: float, **changes: Any) -> Record:  # noqa: ANN401 - as make.record
    """A case of three processes that spread by 1 %, slower by a factor."""
    return make.record(
        forward_ms=times(*(factor * value for value in (9.9, 10.0, 10.1))), **changes
    )


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (1.10, "slower"),
        (1.05, "slower"),
        (1.02, "same"),
        (1.0, "same"),
        (0.98, "same"),
        (0.94, "faster"),
    ],
)
def test_the_verdict_needs_a_difference_that_matters(factor: float, verdict: str) -> None:
    """More than 3 % to either side, and significant; the ratio has its interval."""
    case = compare_case(slowed(1.0), slowed(factor))
    assert case.verdict == verdict
    assert case.speed is not None
    assert case.speed.ratio == pytest.approx(factor)
    # 1 % over three processes on either side, 4 degrees of freedom, as the spreads are equal:
    # factor x 0.01 x sqrt(2/3) x 2.7764
    assert case.speed.half_width == pytest.approx(factor * 0.022669, rel=1e-4)
    assert case.why == ()


def test_the_p_value_is_that_of_welch() -> None:
    """Student's t of 4.6041 with 4 degrees of freedom has 1 %; of 0 everything."""
    assert two_sided_p(4.60409, 4) == pytest.approx(0.01, rel=1e-4)
    assert two_sided_p(-4.60409, 4) == pytest.approx(0.01, rel=1e-4)
    assert compare_case(slowed(1.0), slowed(1.0)).p_value == pytest.approx(1.0)
    value = compare_case(slowed(1.0), slowed(1.10)).p_value
    assert value is not None
    # log(1.1) / (0.0100002 x sqrt(2/3)) = 11.673, 4 degrees of freedom
    assert value == pytest.approx(3.08e-4, rel=0.01)


def test_a_difference_that_may_be_an_accident_needs_more_processes() -> None:
    """Neither slower nor the same: it is said how large it seems."""
    case = compare_case(
        make.record(forward_ms=times(9.5, 10.0, 10.5)),
        make.record(forward_ms=times(10.0, 10.5, 11.0)),
    )
    assert case.verdict == "too few"
    assert case.why == ("3 and 3 processes spread too much to be sure of +5.0 %",)


def test_an_interval_that_hides_a_large_difference_is_not_the_same() -> None:
    """The means are equal, and yet nobody can say that nothing became slower."""
    wide = make.record(forward_ms=times(9.0, 10.0, 11.0))
    case = compare_case(wide, wide)
    assert case.verdict == "too few"
    assert "more than 10 % could hide" in case.why[0]


def test_a_single_process_has_no_verdict() -> None:
    """However large the difference is."""
    case = compare_case(slowed(1.0), make.record(forward_ms=times(20.0)))
    assert (case.verdict, case.why) == ("too few", ("a single process in B",))


def test_boards_without_any_noise_are_compared() -> None:
    """As simulated ones can be: what differs differs."""
    exact = make.record(forward_ms=times(10.0, 10.0, 10.0))
    assert compare_case(exact, exact).verdict == "same"
    slower = make.record(forward_ms=times(10.5, 10.5, 10.5))
    assert compare_case(exact, slower).verdict == "slower"


def test_three_processes_that_are_close_by_accident_prove_nothing_in_noisy_sweeps() -> None:
    """All other cases spread by 5 %: then 5 % are weather."""
    noisy = [
        make.record(model=name, forward_ms=times(9.5, 10.0, 10.5)) for name in ("a", "b", "c")
    ]
    close, other = (
        make.record(forward_ms=times(9.99, 10.0, 10.01)),
        make.record(forward_ms=times(10.49, 10.5, 10.51)),
    )
    alone = compare([close], [other])
    among = compare([close, *noisy], [other, *noisy])
    assert alone.cases[0].verdict == "slower"
    assert among.cases[0].verdict == "too few"


def test_a_suspect_number_is_compared_and_the_verdict_says_so() -> None:
    """On either side."""
    case = compare_case(slowed(1.0), slowed(1.1, status="suspect", reasons=("hot",)))
    assert (case.verdict, case.suspect) == ("slower", True)
    assert not compare_case(slowed(1.0), slowed(1.1)).suspect


@pytest.mark.parametrize("status", ["failed", "lost"])
def test_what_has_no_number_is_not_measured_and_says_why(status: str) -> None:
    """Its key is not even looked at: it does not know its power mode."""
    gone = make.record(status=status, forward_ms=None, reasons=("off",), power_mode=None)
    assert compare_case(slowed(1.0), gone).why == (f"{status} in B: off",)
    case = compare([gone], [slowed(1.0)]).cases[0]
    assert (case.verdict, case.why) == ("not measured", (f"{status} in A: off",))


def test_a_time_of_zero_is_no_time() -> None:
    """It is not divided by."""
    zero = make.record(forward_ms=times(0.0, 0.0))
    assert compare_case(zero, slowed(1.0)).verdict == "not measured"
    assert compare_case(slowed(1.0), zero).verdict == "not measured"


def test_what_must_be_equal_and_is_not_is_named() -> None:
    """However fast the two are."""
    case = compare_case(slowed(1.0), slowed(1.0, power_mode=PowerMode(1, "MAXQ"), batch=8))
    assert case.verdict == "not comparable"
    assert case.why == ("batch 1 → 8", "power mode MAXN → MAXQ")
    assert case.speed is None


def test_cases_find_each_other_by_key_then_by_hash_then_by_name() -> None:
    """Whatever their order is; what has no partner is listed."""
    a = [
        slowed(1.0, model="renamed", prototxt_sha256="1" * 64),
        slowed(1.0, model="kept", prototxt_sha256="2" * 64),
        slowed(1.0, model="edited", prototxt_sha256="3" * 64),
        slowed(1.0, model="gone", prototxt_sha256="4" * 64),
    ]
    b = [
        slowed(1.0, model="new", prototxt_sha256="5" * 64),
        slowed(1.0, model="edited", prototxt_sha256="6" * 64),
        slowed(1.0, model="kept", prototxt_sha256="2" * 64),
        slowed(1.0, model="other name", prototxt_sha256="1" * 64),
    ]
    found = compare(a, b)
    assert [(case.a.model, case.b.model, case.verdict) for case in found.cases] == [
        ("renamed", "other name", "same"),
        ("kept", "kept", "same"),
        ("edited", "edited", "not comparable"),
    ]
    assert [record.model for record in found.only_a] == ["gone"]
    assert [record.model for record in found.only_b] == ["new"]


def test_two_names_for_one_net_do_not_change_places() -> None:
    """Equal keys: then the name decides."""
    a = [slowed(1.0, model="x"), slowed(2.0, model="y")]
    b = [slowed(2.0, model="y"), slowed(1.0, model="x")]
    assert [case.verdict for case in compare(a, b).cases] == ["same", "same"]


def test_a_case_prefers_the_partner_that_differs_least() -> None:
    """The same board in another mode rather than another board, and no one twice."""
    maxq = {"power_mode": PowerMode(1, "MAXQ")}
    found = compare(
        [slowed(1.0), slowed(1.0, board="two")],
        [slowed(1.0, board="three", **maxq), slowed(1.0, **maxq)],
    )
    assert [(case.a.board, case.b.board) for case in found.cases] == [
        ("one", "one"),
        ("two", "three"),
    ]


def test_a_board_of_both_sets_is_held_against_itself_only() -> None:
    """One that was not measured the second time is only in the first; two strangers are a pair."""
    a = [slowed(1.0, board="one"), slowed(1.0, board="two")]
    b = [slowed(1.0, board="one"), slowed(1.0, board="one", power_mode=PowerMode(1, "MAXQ"))]
    found = compare(a, b)
    assert [(case.a.board, case.b.board) for case in found.cases] == [("one", "one")]
    assert [record.board for record in found.only_a] == ["two"]
    assert len(found.only_b) == 1
    [strangers] = compare([slowed(1.0, board="one")], [slowed(1.0, board="two")]).cases
    assert strangers.verdict == "not comparable"
    assert "board one → two" in strangers.why


def test_the_whole_is_the_geometric_mean_of_what_was_compared() -> None:
    """Twice as slow and twice as fast are nothing together."""
    a = [slowed(1.0, model="x"), slowed(1.0, model="y"), slowed(1.0, model="z")]
    b = [slowed(2.0, model="x"), slowed(0.5, model="y"), slowed(9.0, model="z", batch=2)]
    found = compare(a, b)
    assert found.geometric_mean == pytest.approx(1.0)
    assert found.counts == {"slower": 1, "faster": 1, "not comparable": 1}
    assert found.slower
    assert found.compared


def test_of_nothing_there_is_no_mean() -> None:
    """And nothing is slower."""
    found = compare([], [slowed(1.0)])
    assert (found.geometric_mean, found.slower, found.compared) == (None, False, False)


@pytest.mark.parametrize(
    ("slowdown", "least", "most"), [(0.0, 0.0, 0.0015), (0.05, 0.75, 1.0), (0.10, 0.99, 1.0)]
)
def test_three_processes_find_what_matters_at_1_percent_noise(
    slowdown: float, least: float, most: float
) -> None:
    """5 % in three quarters of the cases, 10 % in 99 %, and nothing where there is nothing."""
    cases = 3000 if slowdown == 0 else 1200
    assert least <= rate_found(cases, 3, 0.01, slowdown) <= most
