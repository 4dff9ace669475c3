"""The gate of a night on virtual boards over real SSH."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jetbench.store.database.history import open_history
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import Faults
from tests.e2e.program import NET, Program
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = ("run", "alpha.prototxt", "beta.prototxt", "--warm-up", "0", "--cooldown", "off", "-q")
GATE = ("--baseline", "nightly", "--fail-on-regression")


@contextmanager
def lab(folder: Path, boards: int = 2, **faults: object) -> Iterator[VirtualFleet]:
    """The same boards again, with these faults on all of them."""
    options = replace(FAST, faults=Faults(**faults))  # type: ignore[arg-type]
    with VirtualFleet(boards=boards, directory=folder / "fleet", options=options) as fleet:
        (folder / "inventory.yaml").write_text(fleet.inventory_text())
        yield fleet


@pytest.fixture
def jetbench(tmp_path: Path) -> Program:
    """The program, two nets, and a baseline of a good night."""
    (tmp_path / "alpha.prototxt").write_text(NET)
    (tmp_path / "beta.prototxt").write_text(NET.replace("num_output: 16", "num_output: 32"))
    program = Program(tmp_path, tmp_path / "inventory.yaml")
    with lab(tmp_path):
        assert program(*RUN).status == 0
    done = program("baseline", "set", "nightly")
    assert (done.status, done.out) == (0, "")
    return program


def test_a_night_like_the_baseline_is_green(jetbench: Program) -> None:
    """Exit code 0; what the gate says is in the result, and beside it."""
    with lab(jetbench.folder):
        done = jetbench(*RUN, *GATE, "--format", "json")
    assert done.status == 0
    gate = done.document["gate"]
    assert (gate["verdict"], gate["compared"], gate["suspicions"]) == ("green", 4, [])
    assert "Gate green against nightly" in done.err
    kept = jetbench.results / done.document["sweep"]["id"] / "gate.json"
    assert json.loads(kept.read_text()) == gate


def test_a_clock_that_locks_lower_makes_a_red_night(jetbench: Program) -> None:
    """Exit code 4, with the right models, boards and the changed clock in the message."""
    with lab(jetbench.folder, clock_cap=829):
        done = jetbench(*RUN, *GATE)
    assert done.status == 4
    *_, said = done.out.partition("Gate red against nightly")
    said = " ".join(said.split())
    assert "4 of 4 cases slower, twice, on virt-01, virt-02" in said
    for board in ("virt-01", "virt-02"):
        of_board = said.partition(f"slower: {board}: ")[2].partition("slower:")[0]
        assert "alpha +" in of_board
        assert "beta +" in of_board
        assert "GPU clock 1300 → 8" in of_board
    second = [path for path in jetbench.results.iterdir() if (path / "second-look").exists()]
    assert len(second) == 1
    latest = jetbench("compare", "latest", "latest")
    assert second[0].name not in latest.out


def test_a_regression_is_told_and_no_failure_unless_it_is_asked_for(jetbench: Program) -> None:
    """Exit code 0 without --fail-on-regression."""
    with lab(jetbench.folder, clock_cap=829):
        done = jetbench(*RUN, "--baseline", "nightly", "--format", "json")
    assert done.status == 0
    assert done.document["gate"]["verdict"] == "red"


def test_a_layer_that_became_slower_is_named(jetbench: Program) -> None:
    """By the gate, and by compare."""
    with lab(jetbench.folder, slow_layer=2):
        done = jetbench(*RUN, *GATE, "--format", "json")
    assert done.status == 4
    for slow in done.document["gate"]["suspicions"]:
        assert [layer["name"] for layer in slow["layers"]] == ["conv"]
    compared = jetbench("compare", "latest", "--baseline", "nightly")
    assert compared.status == 4
    assert "carried by: virt-01, alpha: conv (+" in compared.out


def test_what_only_the_first_look_sees_is_not_believed(jetbench: Program) -> None:
    """One process of the first look is slow: measured again, it was nothing."""
    # Each board has run six processes for the baseline.
    with lab(jetbench.folder, outlier_at=7):
        done = jetbench(*RUN, *GATE, "--format", "json")
    gate = done.document["gate"]
    assert {one["belief"] for one in gate["suspicions"]} == {"not confirmed"}
    assert gate["verdict"] == "green"
    assert done.status == 0


def test_a_night_on_which_nothing_can_be_measured_is_not_green(jetbench: Program) -> None:
    """Exit code 3: the boards are away, or have no Caffe."""
    with lab(jetbench.folder, no_caffe=True):
        done = jetbench(*RUN, *GATE, "--format", "json")
    assert done.status == 3
    assert done.document["gate"]["verdict"] == "nothing compared"
    assert done.document["gate"]["no_verdict"]


def test_a_night_of_other_cases_is_not_green(jetbench: Program) -> None:
    """Nothing of it can be compared: exit code 3."""
    with lab(jetbench.folder):
        done = jetbench(*RUN, *GATE, "--iterations", "20", "--format", "json")
    assert done.status == 3
    assert "iterations 50 → 20" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--baseline", "weekly"), "there is no baseline 'weekly'; there is: nightly"),
        (("--fail-on-regression",), "--fail-on-regression needs something to compare with"),
        (("--baseline", "nightly", "--detach"), "--baseline waits for the result"),
    ],
)
def test_a_gate_that_makes_no_sense_is_said_before_any_board_is_touched(
    jetbench: Program, words: tuple[str, ...], said: str
) -> None:
    """Exit code 2, with the next step; no board is there."""
    before = sorted(jetbench.results.iterdir())
    done = jetbench(*RUN, *words)
    assert done.status == 2
    assert said in done.err
    assert "hint: " in done.err
    assert sorted(jetbench.results.iterdir()) == before


def test_a_baseline_whose_folder_is_gone_is_said(jetbench: Program) -> None:
    """As one that nobody has named."""
    for folder in jetbench.results.iterdir():
        if folder.is_dir():
            folder.rename(folder.with_name("moved"))
    done = jetbench(*RUN, *GATE)
    assert done.status == 2
    assert "baseline nightly: " in done.err


def test_a_name_is_given_only_to_a_sweep_that_a_night_will_find(jetbench: Program) -> None:
    """A file from elsewhere is to be brought in first; a folder that is gone is named."""
    (folder,) = (path for path in jetbench.results.iterdir() if path.is_dir())
    sweep = json.loads((folder / "result.json").read_text())
    other = {**sweep, "sweep": {**sweep["sweep"], "id": "20250102-030405-a1b2c3"}}
    (jetbench.folder / "theirs.json").write_text(json.dumps(other))
    done = jetbench("baseline", "set", "theirs", "theirs.json")
    assert (done.status, "jetbench results import" in done.err) == (2, True)
    assert "theirs" not in jetbench("baseline", "list", "--format", "json").document["names"]
    folder.rename(jetbench.folder / "moved")
    gone = jetbench("compare", "nightly", "moved")
    assert gone.status == 2
    assert f"nightly is {folder.name}, which is not in" in " ".join(gone.err.split())


def test_names_are_set_listed_and_taken_away(jetbench: Program) -> None:
    """In words and as JSON; everything that takes a sweep takes a name."""
    shown = jetbench("baseline", "list")
    assert shown.out.splitlines()[0].split() == ["Baseline", "Sweep"]
    names = jetbench("baseline", "list", "--format", "json").document["names"]
    assert list(names) == ["nightly"]
    moved = jetbench("baseline", "set", "other", "nightly")
    assert moved.err == f"other is {names['nightly']}\n"
    assert jetbench("compare", "nightly", "other").status == 0
    assert jetbench("baseline", "remove", "other").status == 0
    again = jetbench("baseline", "remove", "other")
    assert (again.status, "there is no baseline 'other'" in again.err) == (2, True)
    assert jetbench("baseline", "set", "latest", "nightly").status == 2


def test_a_sweep_that_is_taken_up_again_can_pass_the_gate(jetbench: Program) -> None:
    """The options of the gate are no part of what was measured."""
    with lab(jetbench.folder):
        jetbench(*RUN)
        done = jetbench("run", "--resume", "latest", *GATE, "-q", "--format", "json")
    assert done.status == 0
    assert done.document["gate"]["verdict"] == "green"


def test_a_board_whose_nights_differ_by_as_much_cries_no_wolf(jetbench: Program) -> None:
    """The history knows: both looks find the clock lower, as on every other night before."""
    [good] = [path for path in jetbench.results.iterdir() if path.is_dir()]
    document = json.loads((good / "result.json").read_text())
    with open_history(None, jetbench.results) as history:
        for day in range(1, 13):
            for record in document["records"]:
                summary = record["forward_ms"]
                factor = 1.0 if day % 2 else 1.25
                numbers = ("median", "mean", "min", "max", "stdev")
                record["forward_ms"] = {
                    **summary,
                    **{name: summary[name] * factor for name in numbers},
                    "ci95": [end * factor for end in summary["ci95"]],
                    "values": [value * factor for value in summary["values"]],
                }
            night = {"id": f"202601{day:02d}-030405-a1b2c3", "started_utc": f"2026-01-{day:02d}"}
            history.add(json.dumps({**document, "sweep": {**document["sweep"], **night}}), "")
            document = json.loads((good / "result.json").read_text())
    with lab(jetbench.folder, clock_cap=829):
        done = jetbench(*RUN, *GATE, "--format", "json")
    assert {one["belief"] for one in done.document["gate"]["suspicions"]} == {"as usual"}
    assert (done.status, done.document["gate"]["verdict"]) == (0, "green")
    assert "slower, by no more than its nights usually differ: virt-01" in " ".join(
        done.err.split()
    )
