"""Thirty nights on virtual boards, with a slowdown in the twentieth and another in one layer."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import Faults
from tests.e2e.program import NET
from tests.nightly.script import Nightly
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from tests.nightly.script import Night

LOWER, LAYER, NIGHTS = 20, 25, 30
PLAN = """\
models: [alpha.prototxt, beta.prototxt]
repeats: 3
warm-up: 0
cooldown: "off"
telemetry: false
quiet: true
"""


def faults_of(night: int) -> Faults:
    """A clock that locks lower from the twentieth on, a slow layer from the 25th."""
    return Faults(
        clock_cap=829 if night >= LOWER else None, slow_layer=2 if night >= LAYER else None
    )


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Nightly, list[Night]]:
    """All nights. After each find the operator makes it the new baseline."""
    folder = tmp_path_factory.mktemp("nights")
    nightly = Nightly(folder, plan=PLAN)
    (folder / "alpha.prototxt").write_text(NET)
    (folder / "beta.prototxt").write_text(NET.replace("num_output: 16", "num_output: 32"))
    nights: list[Night] = []
    for first, last in ((1, LOWER - 1), (LOWER, LAYER - 1), (LAYER, NIGHTS)):
        options = replace(FAST, faults=faults_of(first))
        with VirtualFleet(boards=2, directory=folder / "fleet", options=options) as fleet:
            (folder / "inventory.yaml").write_text(fleet.inventory_text())
            for night in range(first, last + 1):
                nights.append(
                    nightly(
                        days=night - NIGHTS, JETBENCH_KEEP_JOURNALS="7", JETBENCH_NOTIFY="always"
                    )
                )
                if night in {LOWER, LAYER}:
                    assert nightly.jetbench("baseline", "set", "nightly").returncode == 0
    return nightly, nights


def test_the_gate_is_green_on_every_night_but_two(lived: tuple[Nightly, list[Night]]) -> None:
    """By the exit code, and in the line."""
    _, nights = lived
    codes = {number: night.status for number, night in enumerate(nights, start=1) if night.status}
    assert codes == {LOWER: 4, LAYER: 4}
    for number, night in enumerate(nights[1:], start=2):
        verdict = "red" if number in codes else "green"
        assert re.match(rf"jetbench 20\d\d-\d\d-\d\d: {verdict}; ", night.line), night.line


def test_the_first_night_becomes_the_baseline(lived: tuple[Nightly, list[Night]]) -> None:
    """It says so."""
    _, nights = lived
    assert "there is no baseline nightly yet: this night becomes it" in nights[0].err
    assert ": no gate; 4 ok" in nights[0].line


def test_the_twentieth_night_says_what_is_slower_and_why(
    lived: tuple[Nightly, list[Night]],
) -> None:
    """The right models, the right boards, and the clock that changed, in its one line."""
    _, nights = lived
    line = nights[LOWER - 1].line
    assert "slower on virt-01, virt-02: alpha, beta (GPU clock 1300 → 8" in line
    assert "exit code 4" in line


def test_the_slow_layer_is_named(lived: tuple[Nightly, list[Night]]) -> None:
    """By the gate of the night on which it became slow."""
    nightly, _ = lived
    gates = [
        json.loads(file.read_text())
        for file in sorted(nightly.results.glob("*/gate.json"))
        if json.loads(file.read_text())["verdict"] == "red"
    ]
    assert len(gates) == 2
    for one in gates[1]["suspicions"]:
        assert [layer["name"] for layer in one["layers"]] == ["conv"]
        assert not any("GPU clock" in changed for changed in one["changed"])


def test_history_names_both_dates(lived: tuple[Nightly, list[Night]]) -> None:
    """And what changed with each of them, for every case."""
    nightly, _ = lived
    done = nightly.jetbench("history", "--format", "json")
    series = json.loads(done.stdout)["series"]
    assert len(series) == 4
    for one in series:
        assert len(one["nights"]) == NIGHTS
        days = [night["started_utc"][:10] for night in one["nights"]]
        assert [step["started_utc"][:10] for step in one["steps"]] == [
            days[LOWER - 1], days[LAYER - 1],
        ]  # fmt: skip
        lower, layer = one["steps"]
        assert any("GPU clock 1300 → 8" in changed for changed in lower["changed"])
        assert layer["layers"] == ["conv"]
        assert one["drift_a_day"] is None


def test_only_the_last_nights_keep_their_journals(lived: tuple[Nightly, list[Night]]) -> None:
    """And the baseline; every night keeps its result."""
    nightly, _ = lived
    folders = sorted(path for path in nightly.results.iterdir() if path.is_dir())
    looks = [path for path in folders if (path / "second-look").exists()]
    assert len(folders) == NIGHTS + len(looks)
    assert len(looks) == 2
    names = json.loads((nightly.results / "names.json").read_text())["names"]
    nights = [path for path in folders if path not in looks]
    for path in nights[:-7]:
        assert (path / "result.json").exists()
        assert (path / "journals").exists() == (path.name in names.values())
    for path in nights[-7:]:
        assert (path / "journals").exists()
