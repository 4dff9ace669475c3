"""A clock that is set while a trial runs, and logs that claim time that there was not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jetbench.analysis.checks.clock import STEP_S, clock_was_set
from jetbench.formats.glog import YEAR_S, glog_time
from tests import make
from tests.analysis.found import names, only

if TYPE_CHECKING:
    from jetbench.domain.evidence import CaseEvidence, TrialEvidence
    from jetbench.domain.timing import ParsedLog

DAY_S = 86_400.0


def ran(
    log: ParsedLog | None = None, *, step_s: float | None = 0.0, wall_s: float | None = 4.5
) -> TrialEvidence:
    """A trial that took so long by the time since boot."""
    good = make.trial_evidence(log=log or make.log(), clock_step_s=step_s)
    return replace(good, result=replace(good.result, wall_s=wall_s))


def second(trial: TrialEvidence, *, simulated: bool = False) -> CaseEvidence:
    """Three trials, of which something may be wrong with the second."""
    return make.case_evidence([ran(), trial, ran()], simulated=simulated)


@pytest.mark.parametrize(
    ("step_s", "words"),
    [
        (1135 * DAY_S, "set 1135 days ahead"),
        (-1135 * DAY_S, "set 1135 days back"),
        (-3.25, "set 3.25 s back"),
        (0.6, "set 0.6 s ahead"),
    ],
)
def test_a_clock_that_was_set_is_said_with_its_trial(step_s: float, words: str) -> None:
    """By how much and which way; nothing else is held against that trial."""
    finding = only(second(ran(make.log(9e9), step_s=step_s)))
    assert finding.check == "clock"
    assert finding.evidence == f"trial 2 of 3: the board's clock was {words} meanwhile"


@pytest.mark.parametrize("step_s", [None, 0.0, 0.02, -0.4])
def test_a_clock_that_goes_on_as_it_should_is_no_reason(step_s: float | None) -> None:
    """Nor is one that is read a little later than the time since boot."""
    assert names(second(ran(step_s=step_s))) == []


def test_a_clock_that_is_led_to_the_right_time_was_not_set() -> None:
    """NTP leads it by half a thousandth; in a trial of an hour that is two seconds."""
    assert not clock_was_set(1.8, 3600)
    assert clock_was_set(STEP_S + 0.1, 4.5)
    assert clock_was_set(STEP_S + 0.1, None)


def test_a_log_that_claims_more_time_than_there_was_is_doubted() -> None:
    """A journal of before the clock was written down tells it by the log alone."""
    finding = only(second(ran(make.log(40.0), step_s=None)))
    assert finding.check == "clock"
    assert (
        finding.evidence == "trial 2 of 3: its log claims 6 s of work, and it ran for 4.5 s in all"
    )
    assert names(make.case_evidence([ran(make.log(40.0), wall_s=None)] * 3)) == []


@pytest.mark.parametrize(
    "claims",
    [
        make.log(total_ms=6e3),
        make.log(total_ms=None, forward_ms=120.0, layers=()),
        make.log(total_ms=None, iteration_ms=(3e3, 3e3)),
    ],
)
def test_whichever_number_claims_it(claims: ParsedLog) -> None:
    """The total, a mean times the iterations, or the iterations one by one."""
    assert names(make.case_evidence([ran(claims)]))[:1] == ["clock"]


def stamps(begin: str, end: str) -> tuple[float, float]:
    """A window, by the log's own clock."""
    first, last = glog_time(begin), glog_time(end)
    assert first is not None
    assert last is not None
    return first, last


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (stamps("0228 11:53:41.5", "0228 11:53:40.0"), "ran backwards"),
        (stamps("0228 11:53:41.5", "0119 11:53:44.0"), "ran backwards"),
        (stamps("0228 11:53:41.5", "0409 11:53:44.0"), "ran for 4.5 s in all"),
        (stamps("0228 11:53:41.5", "0228 11:53:50.0"), "iterated for 8.5 s"),
    ],
)
def test_stamps_that_cannot_be_are_doubted(window: tuple[float, float], words: str) -> None:
    """A log of a GPU, whose times are right: its clock was set, and nobody knows when."""
    finding = only(second(ran(make.log(window=window))))
    assert finding.check == "clock"
    assert words in finding.evidence


@pytest.mark.parametrize(
    "window",
    [
        stamps("0228 11:53:41.5", "0228 11:53:44.0"),
        stamps("1231 23:59:58.5", "0101 00:00:01.0"),
        stamps("0228 23:59:58.5", "0301 00:00:01.0"),
        (stamps("1231 23:59:58.5", "0101 00:00:01.0")[0], YEAR_S),
    ],
)
def test_the_turn_of_a_year_and_of_february_are_no_jump(window: tuple[float, float]) -> None:
    """The stamps know no year."""
    assert names(second(ran(make.log(window=window)))) == []


def test_a_simulated_board_claims_what_it_likes() -> None:
    """But its clock must not be set either, nor run backwards."""
    assert names(second(ran(make.log(total_ms=6e6)), simulated=True)) == []
    assert names(second(ran(step_s=9.0), simulated=True)) == ["clock"]
    window = stamps("0228 11:53:41.5", "0228 11:53:40.0")
    assert names(second(ran(make.log(window=window)), simulated=True)) == ["clock"]
