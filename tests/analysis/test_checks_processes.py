"""Verdicts on how processes differ: first ones, single ones, all of them, heat, iterations."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests import make
from tests.analysis.found import names, only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.evidence import CaseEvidence, TrialEvidence

QUIET = (7.2, 7.22, 7.19, 7.21, 7.18, 7.2)
"""What a board with locked clocks says: they spread by 0.2 %."""


def test_processes_that_spread_too_much_are_found() -> None:
    """With their number and range; the advice depends on whether the clocks are locked."""
    finding = only(make.case_evidence([7.0, 8.0, 7.4]))
    assert finding.check == "spread"
    assert finding.evidence == "3 processes spread by 6.7 % (7 to 8 ms)"
    assert "--repeats" in finding.advice
    assert "--clocks" in only(make.case_evidence([7.0, 8.0, 7.4], locked=False)).advice


def test_five_per_cent_are_allowed() -> None:
    """And one process has no spread."""
    assert names(make.case_evidence([9.5, 10.0, 10.5])) == []
    assert names(make.case_evidence([9.45, 10.0, 10.55])) == ["spread"]
    assert names(make.case_evidence([9.0])) == []


@pytest.mark.parametrize("odd_ms", [8.2, 6.2])
@pytest.mark.parametrize("place", [1, 3, 5])
def test_one_process_far_from_the_others_is_found(odd_ms: float, place: int) -> None:
    """In either direction, by its number; the spread that it makes is not said again."""
    times = list(QUIET)
    times[place] = odd_ms
    finding = only(make.case_evidence(times))
    assert finding.check == "outlier"
    assert finding.evidence.startswith(f"trial {place + 1} of 6 took {odd_ms} ms, the others 7.1")


@pytest.mark.parametrize(
    ("times", "check"),
    [
        ((7.2, 7.2, 9.5), "outlier"),
        ((7.2, 9.5, 7.21), "outlier"),
        ((7.2, 7.21, 5.0), "outlier"),
        ((9.5, 7.2, 7.21), "first_trials"),
        ((7.2, 7.21, 7.19, 9.5), "outlier"),
    ],
)
def test_with_few_processes_only_what_is_very_far_is_found(
    times: Sequence[float], check: str
) -> None:
    """Where the others agree: 30 % away is no noise."""
    assert only(make.case_evidence(times)).check == check


def test_what_is_near_does_not_matter() -> None:
    """However sure it is: 1.9 % beside a spread of 0.01 %."""
    quiet = [7.2, 7.2001, 7.2, 7.1999, 7.2, 7.2]
    assert names(make.case_evidence([*quiet, 7.2 * 1.019])) == []
    assert names(make.case_evidence([7.2 * 1.019, *quiet])) == []
    assert names(make.case_evidence([*quiet, 7.2 * 1.021])) == ["outlier"]
    assert names(make.case_evidence([7.2 * 1.021, *quiet])) == ["first_trials"]


@pytest.mark.parametrize(
    ("slow", "where", "advice"),
    [((7.9,), "trial 1 of 7", 2), ((8.2, 7.9), "trials 1 and 2 of 8", 3)],
)
def test_first_processes_that_are_slower_are_found(
    slow: Sequence[float], where: str, advice: int
) -> None:
    """As many as there are; the advice is so many more that do not count."""
    finding = only(make.case_evidence([*slow, *QUIET]))
    assert finding.check == "first_trials"
    assert finding.evidence.startswith(f"{where} took ")
    assert finding.advice == f"warm the board up with --warm-up {advice}"


def test_the_warm_ups_that_there_were_are_added_to() -> None:
    """Three were not enough."""
    finding = only(make.case_evidence([7.9, *QUIET], warm_ups=3))
    assert finding.advice == "warm the board up with --warm-up 4"


def test_a_first_process_that_is_faster_is_an_outlier() -> None:
    """No warm-up helps there."""
    assert only(make.case_evidence([6.2, *QUIET])).check == "outlier"


def test_a_trial_whose_cause_is_known_is_left_out() -> None:
    """Also where it is the first one."""
    swapped = make.trial_evidence(9.9, usage=make.usage(swapped_pages=9000))
    assert only(make.case_evidence([swapped, *QUIET])).check == "swapped"


def test_two_faults_are_two_findings() -> None:
    """A trial that swapped, and another one that is far from the rest."""
    swapped = make.trial_evidence(9.9, usage=make.usage(swapped_pages=9000))
    assert names(make.case_evidence([*QUIET, swapped, 8.8])) == ["swapped", "outlier"]


def test_an_interval_that_is_wider_than_asked_for_is_said() -> None:
    """With what was reached, and what would do."""
    times = [9.9, 10.0, 10.1]
    assert names(make.case_evidence(times)) == []
    assert names(make.case_evidence(times, precision=0.025)) == []
    finding = only(make.case_evidence(times, precision=0.01))
    assert finding.check == "precision"
    assert finding.evidence == "the mean of 3 processes is known to ± 2.5 %, asked was ± 1 %"
    assert finding.advice == "measure with --repeats 6 or so, or accept --precision 2.5"


def test_one_process_has_no_interval() -> None:
    """So that nothing is as precise as was asked."""
    assert only(make.case_evidence([7.2], precision=0.05)).check == "precision"


def test_an_interval_that_is_too_wide_for_a_known_reason_goes_with_it() -> None:
    """It is said, and not as a second fault."""
    finding = only(make.case_evidence([7.0, 8.0, 7.4], precision=0.01))
    assert finding.check == "spread"
    assert finding.evidence.endswith(
        "; the mean of 3 processes is known to ± 17 %, asked was ± 1 %"
    )


def warming(starts_c: Sequence[float], times_ms: Sequence[float]) -> CaseEvidence:
    """A case whose trials began at these temperatures."""
    return make.case_evidence(
        [
            make.trial_evidence(time_ms, before=make.conditions(gpu_temp_c=start_c))
            for start_c, time_ms in zip(starts_c, times_ms, strict=True)
        ]
    )


def test_times_that_rise_with_the_temperature_are_found() -> None:
    """From 12 degrees and 4 %: with both ends, and nothing else."""
    starts = [40.0, 43.0, 46.0, 49.0, 52.0]
    finding = only(warming(starts, [7.0, 7.07, 7.14, 7.21, 7.28]))
    assert finding.check == "temperature"
    assert finding.evidence == (
        "trials took the longer the warmer the GPU was when they began: "
        "7 ms at 40 °C, 7.28 ms at 52 °C"
    )
    steep = only(warming([40.0, 45, 50, 55, 60, 65], [7.0, 7.3, 7.6, 8.0, 8.4, 8.9]))
    assert steep.check == "temperature"


@pytest.mark.parametrize(
    ("starts_c", "times_ms"),
    [
        ([40, 42, 45, 48, 50], [7.0, 7.07, 7.14, 7.21, 7.28]),
        ([40, 43, 46, 49, 52], [7.0, 7.03, 7.06, 7.1, 7.13]),
        ([40, 43, 46, 49, 52], [7.0, 7.14, 7.07, 7.21, 7.28]),
        ([40, 43, 46, 52], [7.0, 7.07, 7.14, 7.28]),
        ([40, 43, 46, 49, 52], [7.28, 7.21, 7.14, 7.07, 7.0]),
        ([40, 43, 46, 49, 52], [7.2, 7.2, 7.2, 7.2, 7.2]),
    ],
)
def test_what_may_be_chance_is_not_called_drift(
    starts_c: Sequence[float], times_ms: Sequence[float]
) -> None:
    """Ten degrees; 1.9 %; one pair of five exchanged; four trials; the other way; no change."""
    assert names(warming(starts_c, times_ms)) == []


def iterating(first: Sequence[float], rest_ms: float) -> TrialEvidence:
    """A process whose 50 iterations began so, and went on with some noise."""
    noise = random.Random(7)  # noqa: S311 - noise, not a secret
    later = (rest_ms * noise.gauss(1, 0.006) for _ in range(50 - len(first)))
    return make.trial_evidence(log=make.log(iteration_ms=(*first, *later)))


def test_first_iterations_that_are_slower_are_found() -> None:
    """In most processes: with their number, their time and what they do to the mean."""
    slow = iterating((40.0, 30.0), 20.0)
    finding = only(make.case_evidence([slow, slow, iterating((), 20.0)]))
    assert finding.check == "first_iterations"
    assert finding.evidence.startswith("trials 1 and 2 of 3: the first 2 iterations took 35 ms")
    assert finding.evidence.endswith("which makes the mean 3 % longer")
    assert finding.advice == "measure with --iterations 160"


@pytest.mark.parametrize(
    "start",
    [
        (23.5,),
        (29.0,),
        (20.0, 90.0),
        (30.0,) * 20,
    ],
)
def test_iterations_that_do_not_matter_are_passed_over(start: Sequence[float]) -> None:
    """Slower by 18 %; by 0.9 % of the mean; a hiccup that is not the first; no start at all."""
    assert names(make.case_evidence([iterating(start, 20.0)] * 3)) == []


def test_half_of_the_processes_are_not_most() -> None:
    """Nor are a few logged iterations enough to tell."""
    assert names(make.case_evidence([iterating((60.0,), 20.0), iterating((), 20.0)])) == []
    few = make.trial_evidence(log=make.log(iteration_ms=(90.0, *(20.0,) * 8)))
    assert names(make.case_evidence([few])) == []


def test_whole_milliseconds_are_not_taken_for_a_slow_start() -> None:
    """On the CPU 4 and 3 ms may be the same; 9 and 3 are not."""
    near = make.trial_evidence(log=make.log(iteration_ms=(4.0, 4.0, 4.0, *(3.0,) * 12)))
    assert names(make.case_evidence([near])) == []
    far = make.trial_evidence(log=make.log(iteration_ms=(9.0, *(3.0,) * 14)))
    assert names(make.case_evidence([far])) == ["first_iterations"]


QUIET_CASE = make.case_evidence(floor_ms=None)


def clean(noise: random.Random, spread: float, count: int) -> CaseEvidence:
    """A case of an undisturbed board that warms up as it likes, with noise everywhere."""
    base_ms = noise.choice((0.8, 12.9, 91.8))
    trial = make.trial_evidence(2 * base_ms)
    trials = []
    for _ in range(count):
        time_ms = base_ms * noise.gauss(1, spread)
        iterations = tuple(3 * time_ms * noise.gauss(1, 0.01) for _ in range(10))
        start_c = round(noise.uniform(38, 52) * 2) / 2
        trials.append(
            replace(
                trial,
                log=make.log(time_ms, iteration_ms=iterations),
                before=make.conditions(gpu_temp_c=start_c),
            )
        )
    return replace(QUIET_CASE, trials=tuple(trials))


def test_a_clean_board_is_rarely_suspect() -> None:
    """In less than 1 % of 2,000 cases with 3 to 10 processes that spread by 0.5 to 3 %.

    Those that happen to spread by more than 5 % are left aside: they are to be suspect.
    """
    noise = random.Random(20260102)  # noqa: S311 - noise, not a secret
    levels = (0.005, 0.01, 0.015, 0.02, 0.025, 0.03)
    cases = (clean(noise, levels[k % 6], 3 + k // 6 % 8) for k in range(2000))
    found = [set(names(case)) for case in cases]
    judged = [each for each in found if "spread" not in each]
    assert sum(bool(each) for each in judged) / len(judged) < 0.01
