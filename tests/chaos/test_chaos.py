"""A part of the chaos test, and what it stands on: `tests.chaos.run` has as many as wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.board import Kept
from tests.chaos.checks import check_alone, check_document, check_once
from tests.chaos.run import run_scenario, run_seed, summary
from tests.chaos.scenario import ENDS_THE_HOST, Fault, Moment, Scenario, scenario

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.scenario import Kind

SEEDS = (59, 139, 324, 491)
"""Four that have every kind of fault between them."""


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_whatever_goes_wrong(seed: int, tmp_path: Path) -> None:
    """Every trial is measured once, and the boards are as before."""
    report = run_seed(seed, tmp_path)
    assert report.problem is None, "\n".join((*report.story, report.problem))
    assert report.fired
    assert "failed seeds: none" in summary([report])


def test_two_hosts_take_it_over_from_each_other(tmp_path: Path) -> None:
    """And give the same number to two parts, each of which is in one's folder only."""
    kinds: tuple[Kind, ...] = (
        *("kill runner", "host killed", "kill runner", "ctrl-c", "host killed"),
    )
    faults = [
        Fault(kind, Moment(0, "caffe", 3 * number), elsewhere=kind in ENDS_THE_HOST)
        for number, kind in enumerate(kinds, start=1)
    ]
    options = ("--warm-up", "0", "--no-telemetry", "--cooldown", "off")
    report = run_scenario(Scenario(0, options, detach=False, faults=tuple(faults)), tmp_path)
    assert report.problem is None, "\n".join((*report.story, report.problem))


def test_a_seed_decides_everything() -> None:
    """The same seed is the same scenario, another one is another."""
    assert scenario(7) == scenario(7)
    assert len({str(scenario(seed)).partition(":")[2] for seed in range(200)}) == 200


def test_every_kind_of_fault_is_there() -> None:
    """In the sweeps that run with all tests; and of its kinds none is forgotten."""
    kinds = {fault.kind for seed in range(1000) for fault in scenario(seed).faults}
    assert {fault.kind for seed in SEEDS for fault in scenario(seed).faults} == kinds
    assert len(kinds) == 14


FIRST = b"""\
@start up=10.0
@trial id=1 up=10.5
@done id=1 exit=0 up=11.0
@trial id=2 up=11.0
@done id=2 exit=143 up=11.5 stop=stopped
"""
SECOND = b"@start up=12.0\n@trial id=2 up=12.0\n@done id=2 exit=0 up=13.0\n"


def kept(folder: Path, *texts: bytes) -> list[Kept]:
    """Journals as a board had them, all of one host."""
    found = []
    for part, text in enumerate(texts, start=1):
        path = folder / f"part-{part}"
        path.write_bytes(text)
        found.append(Kept(f"sweep~{part}", path, "first"))
    return found


def test_what_was_cut_off_may_be_measured_again(tmp_path: Path) -> None:
    """A trial that was stopped is not finished; nor is one that only another host has."""
    parts = kept(tmp_path, FIRST, SECOND)
    check_once("virt-01", parts, {"first": [FIRST, SECOND]})
    check_alone("virt-01", parts)
    again = kept(tmp_path, SECOND, SECOND.replace(b"=1", b"=2"))
    check_once("virt-01", again, {"first": [again[1].text], "other": [SECOND]})


def test_a_trial_that_is_measured_twice_is_found(tmp_path: Path) -> None:
    """In one part, or in a later one by the host that has the earlier one."""
    once = SECOND.replace(b"=1", b"=2")
    with pytest.raises(AssertionError, match=r"first has measured \[2\]"):
        check_once("virt-01", kept(tmp_path, SECOND, once), {"first": [SECOND]})
    with pytest.raises(AssertionError, match="a trial twice"):
        check_once("virt-01", kept(tmp_path, SECOND * 2), {})


def test_two_at_once_are_found(tmp_path: Path) -> None:
    """Also where the one is over before the other is."""
    with pytest.raises(AssertionError, match="were there at once"):
        check_alone("virt-01", kept(tmp_path, FIRST, SECOND.replace(b"=12", b"=11")))


@pytest.mark.parametrize("number", [None, 10.25])
def test_a_number_of_another_net_is_found(number: float | None) -> None:
    """And one that is missing for no reason."""
    trial = {"repeat": 1, "forward_ms": number, "failure": {"message": ""}}
    with pytest.raises(AssertionError, match="virt-01 m1 1"):
        check_document({"records": [{"board": "virt-01", "model": "m1", "trials": [trial]}]})
