"""A sweep that was cut off on a board and taken up again there: one record, each trial once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jetbench.bench.guard import Guard
from jetbench.bench.parcel import in_order
from jetbench.bench.plan import interleave
from jetbench.bench.resuming import known_of
from jetbench.domain.plan import Options
from jetbench.formats.journal import EventReader
from jetbench.store.sweep_folder import SweepFolder
from tests import make
from tests.bench.test_ingest import READY, RESTORED, ingest, log, shown, trial

if TYPE_CHECKING:
    from pathlib import Path

CUT = "@trial id=2 up=20.0 utc=2026-01-02T03:04:09Z limit_s=60"


def test_what_was_cut_off_is_made_good_by_the_next_part() -> None:
    """The trial that had no end is the one that has; it is neither missing nor twice there."""
    record = ingest(
        "@start version=1",
        *READY,
        trial(1, log()),
        CUT,
        "@guard state=recovered mode=1",
        "@start version=1",
        *READY,
        trial(2, log(forward="7.75")),
        "@end reason=finished",
        RESTORED,
    )
    assert (record.status, record.reasons) == ("ok", ())
    assert record.forward_ms is not None
    assert record.forward_ms.values == (7.25, 7.75)
    assert [each.lost for each in record.trials] == [False, False]


def test_a_trial_that_two_parts_have_counts_at_its_first_word() -> None:
    """As when a host had not heard of its end, and had it measured once more."""
    record = ingest(
        "@start version=1",
        *READY,
        trial(1, log()),
        "@start version=1",
        *READY,
        trial(1, log(forward="9.75")),
        trial(2, log(forward="7.75")),
        "@end reason=finished",
        RESTORED,
    )
    assert record.forward_ms is not None
    assert record.forward_ms.values == (7.25, 7.75)


def test_the_last_part_says_why_something_is_missing() -> None:
    """What an earlier one had ended with is over."""
    record = ingest(
        "@start version=1",
        *READY,
        trial(1, log()),
        "@end reason=stopped",
        RESTORED,
        "@start version=1",
        *READY,
        "@end reason=no-space",
        RESTORED,
    )
    assert record.trials[1].failure is not None
    assert record.trials[1].failure.message == "the board's disk is full"


def test_a_guard_that_failed_before_is_no_failure_now() -> None:
    """The clocks would not lock, somebody mended that, and the sweep was taken up again."""
    record = ingest(
        "@start version=1",
        shown("before", "MAXQ\n1"),
        "@guard state=saved mode=1",
        '@guard state=failed reason="the clocks did not lock"',
        "@guard state=restored mode=1 locked=0",
        "@end reason=guard-failed",
        "@start version=1",
        "@guard state=saved mode=1",
        *READY,
        trial(1, log()),
        trial(2, log()),
        "@end reason=finished",
        RESTORED,
    )
    assert (record.status, record.reasons) == ("ok", ())


def test_what_was_begun_and_never_ended_comes_last_in_its_mode() -> None:
    """A trial that brings the board down must not keep the others from being measured."""
    plan = make.plan(models=("a", "b", "c", "d"), repeats=1)
    cases = {
        number: replace(case, power_mode="0" if number < 2 else "1")
        for number, case in enumerate(plan.cases)
    }
    plan = replace(plan, trials=interleave([[0, 1], [2, 3]], 2, 0), options=Options())
    ids = [each.id for each in in_order(plan, cases, set(), set())]
    assert ids == list(range(1, 9))
    left = in_order(plan, cases, {1, 5}, {2, 6})
    assert [each.id for each in left] == [3, 4, 2, 7, 8, 6]
    assert [cases[each.case].power_mode for each in left] == ["0"] * 3 + ["1"] * 3
    assert in_order(plan, {}, set(), set()) == []


def test_a_power_state_that_was_put_back_later_is_no_failure() -> None:
    """As where the board went down while its guard put it back."""
    guard = guard_of(
        *READY, '@guard state=not-restored reason="Terminated"', "@guard state=recovered mode=1"
    )
    assert (guard.failure, guard.restored) == (None, True)
    guard = guard_of(*READY, '@guard state=not-restored reason="Terminated"')
    assert (guard.failure, guard.restored) == ("Terminated", False)


def test_a_probe_that_is_damaged_here_is_as_none(tmp_path: Path) -> None:
    """As after a loss of power: the board is asked again."""
    plan = make.plan()
    folder = SweepFolder.create(tmp_path, plan.sweep_id, "{}")
    for answer, kept in ((b"", None), (b"utc_s=1\nsudo=absent\n", b"utc_s=1\nsudo=absent\n")):
        folder.keep_probe(plan.boards[0].name, answer)
        assert known_of(folder, plan)[plan.boards[0].name].probe == kept


def test_a_warm_up_is_no_trial_that_is_here(tmp_path: Path) -> None:
    """It would count as one more than the plan has."""
    plan = make.plan()
    name = plan.boards[0].name
    folder = SweepFolder.create(tmp_path, plan.sweep_id, "{}")
    lines = ("@start version=1", trial(0, log()), trial(1, log()), CUT)
    folder.append_journal(name, 0, "".join(f"{line}\n" for line in lines).encode())
    known = known_of(folder, plan)[name]
    assert known.settled == {1}
    assert known.begun == {1, 2}


def guard_of(*lines: str) -> Guard:
    """What a guard has said."""
    return Guard.read(EventReader().feed("".join(f"{line}\n" for line in lines).encode()))
