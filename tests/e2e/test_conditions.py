"""Several power modes, precision, a board against its fleet, and power states left behind."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.e2e.program import Program, at_rest, inventory_for, power_state, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualBoard

OPTIONS = (
    BoardOptions(release="r28", time_scale=0.02, seed=1),
    BoardOptions(release="r32", time_scale=0.02, seed=2),
    BoardOptions(release="r32", time_scale=0.02, seed=3, faults=Faults(clock_cap=1122)),
    BoardOptions(release="r27", time_scale=0.02, seed=4, booted_s_ago=85),
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Two boards that are alike, one whose GPU is slower, and one that has only just booted."""
    with VirtualFleet(len(OPTIONS), tmp_path_factory.mktemp("fleet"), OPTIONS) as served:
        inventory_for(served, served.directory / "inventory.yaml", {})
        yield served


def left_behind(board: VirtualBoard) -> bool:
    """Whether a guard has left the power state of the board with it."""
    return (board.root / "var/lib/jetbench/mode").exists()


def test_a_board_against_its_fleet(jetbench: Program, fleet: VirtualFleet) -> None:
    """The one with the slower GPU is named, with what is different; JetPack 3.0 is waited for."""
    before = [power_state(board) for board in fleet.boards]
    done = jetbench("run", "bvlc_alexnet", "resnet50", "--format", "json")
    assert done.status == 0, done.err
    assert "virt-04: waiting for its start-up to end" in done.err
    [named] = done.document["fleet"]
    assert (named["board"], named["cases"], named["peers"]) == ("virt-03", 2, 3)
    assert named["ratio"] == pytest.approx(1.1, abs=0.04)
    assert "slower than its three peers on both models" in named["evidence"]
    assert "GPU clock 1122 MHz, theirs 1300" in named["evidence"]
    assert [power_state(board) for board in fleet.boards] == before
    shown = jetbench("compare", "latest", "latest")
    assert shown.status == 0
    assert "8 same" in shown.out


def test_each_power_mode_has_its_records(jetbench: Program, fleet: VirtualFleet) -> None:
    """By name or id, grouped: the mode is set twice, and the board's own comes back."""
    before = power_state(fleet.boards[0])
    asked = ("--power-mode", "MAXQ,0", "--board", "virt-01", "--repeats", "2")
    done = jetbench("run", "bvlc_alexnet", *asked, "--format", "json")
    assert done.status == 0, done.err
    slow, fast = done.document["records"]
    assert [r["power_mode"]["name"] for r in (slow, fast)] == ["MAXQ", "MAXN"]
    assert slow["forward_ms"]["median"] > 1.2 * fast["forward_ms"]["median"]
    assert all(record["clocks_locked"] for record in (slow, fast))
    assert done.err.count("power mode and clocks set") == 2
    assert power_state(fleet.boards[0]) == before
    planned = jetbench("run", "bvlc_alexnet", *asked, "--dry-run")
    assert "round 2 in mode MAXQ: bvlc_alexnet\nround 1 in mode 0: bvlc_alexnet" in planned.out


def test_repeats_go_on_until_the_mean_is_known_well_enough(jetbench: Program) -> None:
    """±0.2 % takes more than five processes at this noise, and fewer than thirty."""
    asked = ("--precision", "0.2%", "--repeats", "5", "--board", "virt-01", "--format", "json")
    done = jetbench("run", "bvlc_alexnet", *asked)
    assert done.status == 0, done.err
    [record] = done.document["records"]
    forward = record["forward_ms"]
    low, high = forward["ci95"]
    assert (high - low) / 2 <= 0.002 * forward["mean"]
    assert 5 < forward["n"] < 30
    assert len(record["trials"]) == forward["n"]
    assert (record["status"], record["findings"]) == ("ok", [])


def test_a_precision_that_cannot_be_had_is_told(jetbench: Program) -> None:
    """After thirty processes it says how wide the interval still is."""
    asked = ("--precision", "0.01%", "--board", "virt-02", "--no-telemetry", "--format", "json")
    done = jetbench("run", "squeezenet1.1", "--iterations", "5", *asked)
    [record] = done.document["records"]
    assert record["forward_ms"]["n"] == 30
    assert [finding["check"] for finding in record["findings"]] == ["precision"]
    assert "0.01 %" in record["reasons"][0]


def test_a_board_that_reboots_in_the_middle_is_put_back_at_once(
    jetbench: Program, fleet: VirtualFleet
) -> None:
    """The host is still there: over its next connection it does what the guard could not."""
    board = fleet.boards[1]
    before = power_state(board)
    with jetbench.started(
        *("run", "resnet50", "--board", "virt-02", "--repeats", "20", "--format", "json")
    ) as started:
        started.wait_for("2/20")
        board.reboot()
        done = started.end()
    [record] = done.document["records"]
    assert record["forward_ms"]["n"] == 20
    assert "dealt with" in done.err
    assert done.document["boards"]["virt-02"]["restored"] is True, done.err
    assert power_state(board) == before
    wait_until(lambda: at_rest(board))


@pytest.fixture
def abandoned(jetbench: Program, fleet: VirtualFleet) -> tuple[VirtualBoard, tuple[str, ...]]:
    """A board whose host was killed and which then went down; its power state from before."""
    board = fleet.boards[1]
    before = power_state(board)
    with jetbench.started("run", "resnet50", "--board", "virt-02", "--repeats", "60") as started:
        started.wait_for("1/60")
        started.process.send_signal(signal.SIGKILL)
        started.process.wait()
        board.reboot()
    assert left_behind(board)
    assert power_state(board) != before
    return board, before


def test_what_was_left_behind_is_put_back_by_hand(
    jetbench: Program, abandoned: tuple[VirtualBoard, tuple[str, ...]]
) -> None:
    """`boards check` says so, `boards restore` does it, and then there is nothing to do."""
    board, before = abandoned
    checked = jetbench("boards", "check", "virt-02")
    assert "jetbench boards restore" in checked.out
    done = jetbench("boards", "restore")
    assert done.status == 0
    assert "virt-02: put back, MAXP_CORE_ARM" in done.out
    assert "virt-01: nothing was left behind, MAXP_CORE_ARM" in done.out
    assert power_state(board) == before
    again = jetbench("boards", "restore", "virt-02")
    assert again.out == "virt-02: nothing was left behind, MAXP_CORE_ARM\n"


@pytest.mark.parametrize("asked", [(), ("--power-mode", "keep", "--no-clocks")])
def test_what_was_left_behind_is_put_back_by_the_next_run(
    jetbench: Program,
    abandoned: tuple[VirtualBoard, tuple[str, ...]],
    asked: tuple[str, ...],
) -> None:
    """Also by one that changes nothing itself: it measures the board's own state."""
    board, before = abandoned
    done = jetbench(
        *("run", "bvlc_alexnet", "--board", "virt-02", "--repeats", "1", "--format", "json"),
        *asked,
    )
    assert done.status == 0, done.err
    assert power_state(board) == before
    [record] = done.document["records"]
    assert record["power_mode"]["name"] == ("MAXP_CORE_ARM" if asked else "MAXN")


def test_a_board_that_cannot_be_put_back_says_why(
    jetbench: Program, fleet: VirtualFleet, tmp_path: Path
) -> None:
    """One that is not there: exit code 3, and its reason."""
    board = fleet.boards[0]
    board.pause()
    try:
        done = Program(tmp_path, fleet.directory / "inventory.yaml")(
            "boards", "restore", "virt-01"
        )
    finally:
        board.resume()
    assert done.status == 3
    assert "virt-01: " in done.out
    assert "refuses the connection" in done.out
    assert jetbench("boards", "restore", "virt-01").status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--power-mode", "0,keep"), "keep goes with no other mode"),
        (("--power-mode", "0; reboot"), "is no power mode"),
        (("--cooldown", "hot"), "is no temperature"),
        (("--cooldown", "900"), "is no temperature"),
        (("--precision", "0"), "is no precision"),
        (("--precision", "1%%"), "is no precision"),
        (("--warm-up", "-1"), "--warm-up"),
    ],
)
def test_words_that_mean_nothing_are_refused(
    jetbench: Program, words: tuple[str, ...], said: str
) -> None:
    """Exit code 2, what is wrong, and what to pass instead; nothing was started."""
    done = jetbench("run", "bvlc_alexnet", *words)
    assert done.status == 2
    assert said in done.err
    assert not jetbench.results.exists()
