"""`jetbench history` on kept nights."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.record import LayerTime, RecordConditions
from jetbench.store.database.history import open_history
from tests import make
from tests.e2e.program import Program
from tests.store.nights import document, record

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.domain.record import Record

LOST = replace(
    make.record(status="lost", forward_ms=None, backward_ms=None, forward_backward_ms=None),
    trials=(), power_mode=None, prototxt_sha256=None, clocks_locked=None,
)  # fmt: skip


def on(day: int) -> Record:
    """From the twentieth on the clock is lower, and the last layer takes longer from the 25th."""
    slow = 1.3 if day >= 20 else 1.0
    last_ms = 4.0 if day >= 25 else 2.0
    layers = (
        *(LayerTime(f"conv{number}", "Convolution", slow, 2.0) for number in range(8)),
        LayerTime("pool", "Pooling", slow * last_ms, 0.1),
    )
    return record(
        slow * (8.0 + last_ms) * (1 + 0.001 * (day % 3)),
        layers=layers,
        conditions=RecordConditions(gpu_mhz_max=829.0 if day >= 20 else 1300.5),
    )


@pytest.fixture
def jetbench(tmp_path: Path) -> Program:
    """The program, and thirty nights in its history; on the tenth the board was away."""
    program = Program(tmp_path, tmp_path / "inventory.yaml")
    with open_history(None, program.results, create=True) as history:
        for day in range(1, 31):
            told = LOST if day == 10 else on(day)
            others = [record(5.0, board="two", model="beta", simulated=True)]
            history.add(document(day, [told, *others]), "", tags={"one": ["lab"]})
    return program


def test_both_steps_are_found_with_their_dates_and_what_changed(jetbench: Program) -> None:
    """And which layer carries the second one."""
    done = jetbench("history", "alpha")
    said = " ".join(done.out.split())
    assert (done.status, done.err) == (0, "")
    assert "slower from 2026-01-20 on (20260120-030405-a1b2c3): " in said
    assert "+30.0 % " in said
    assert "changed: GPU clock 1300 → 829 MHz slower from 2026-01-25" in said
    assert said.endswith("carried by pool no number: 2026-01-10 (lost)")
    assert "beta" not in said


def test_series_are_chosen_as_everywhere(jetbench: Program) -> None:
    """By board, tag, date, and whether they were simulated."""
    for words, model in (
        (("--board", "two"), "beta"),
        (("--board", "@lab"), "alpha"),
        (("--simulated",), "beta"),
        (("--real",), "alpha"),
    ):
        series = jetbench("history", "--format", "json", *words).document["series"]
        assert {one["model"] for one in series} == {model}
    [alpha] = jetbench(
        "history", "alpha", "--format", "json", "--since", "2026-01-05", "--until", "2026-01-19"
    ).document["series"]
    assert (len(alpha["nights"]), alpha["verdict"]) == (15, "steady")


def test_what_cannot_be_shown_is_said(jetbench: Program, tmp_path: Path) -> None:
    """No such series, no date, no history."""
    done = jetbench("history", "gamma")
    assert (done.status, done.out) == (3, "")
    assert "Nothing of that is in the history" in done.err
    assert jetbench("history", "--since", "yesterday").status == 2
    done = jetbench("history", "--results", str(tmp_path / "elsewhere"))
    assert done.status == 2
    assert "elsewhere: there is no such folder" in done.err


def test_it_is_written_for_documents_and_scripts(jetbench: Program, tmp_path: Path) -> None:
    """To a file whole, or to standard output; where there is no Unicode, in ASCII."""
    jetbench("history", "alpha", "--format", "markdown", "-o", "alpha.md")
    assert (tmp_path / "alpha.md").read_text().startswith("### alpha on one")
    rows = jetbench("history", "alpha", "--format", "csv").out.splitlines()
    assert [row.split(",")[6] for row in rows] == ["what", "step", "step"]
    plain = jetbench("history", "alpha", PYTHONIOENCODING="ascii:replace")
    assert "_________ _________=" in plain.out
    document = json.loads(jetbench("history", "--format", "json").out)
    assert {one["simulated"] for one in document["series"]} == {False, True}
