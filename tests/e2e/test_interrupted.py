"""Sweeps that are cut short: by Ctrl-C, by a kill, by a cable, by a board that goes down."""

from __future__ import annotations

import json
import re
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from jetbench.bench import carrying_out, contact, sweep
from jetbench.bench.carrying_out import new_recorder
from jetbench.bench.plan import make_plan
from jetbench.cli.measure import carry_out, exit_code
from jetbench.domain.plan import Options
from jetbench.formats.inventory import parse_inventory
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from tests.e2e.program import Program, at_rest, power_state, wait_until
from tests.virtual.helpers import processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualBoard

SLOW = BoardOptions(time_scale=0.1)
"""AlexNet takes about half a second then."""
LONG = ("run", "bvlc_alexnet", "--repeats", "60", "--format", "json")
SHORT = ("run", "bvlc_alexnet", "--repeats", "5", "--format", "json")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Two boards that take a while; what is common to all tests here otherwise."""
    with VirtualFleet(2, tmp_path_factory.mktemp("fleet"), SLOW) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_trials_and_puts_the_boards_back(
    jetbench: Program, fleet: VirtualFleet, number: signal.Signals
) -> None:
    """Exit code 130; what was finished is kept; nothing runs on any board, nothing is left."""
    before = [power_state(board) for board in fleet.boards]
    with jetbench.started(*LONG) as started:
        started.wait_for(r"virt-01: 2/60(.|\n)*virt-02: 2/60|-02: 2/60(.|\n)*-01: 2/60")
        started.process.send_signal(number)
        done = started.end()
    assert done.status == 130, done.err
    assert f"{number.name}: ending the trials that run" in done.err
    assert done.document["sweep"]["interrupted"] is True
    assert json.loads((jetbench.sweep() / "result.json").read_text()) == done.document
    for record in done.document["records"]:
        assert record["status"] == "ok" or record["reasons"]
        assert 2 <= record["forward_ms"]["n"] < 60
        kinds = {t["failure"]["kind"] for t in record["trials"] if t["failure"]}
        assert kinds == {"interrupted"}
    assert [power_state(board) for board in fleet.boards] == before
    assert all(at_rest(board) for board in fleet.boards)
    assert all(board["restored"] is True for board in done.document["boards"].values())


def test_a_second_signal_leaves_at_once_and_the_boards_do_the_rest(
    jetbench: Program, fleet: VirtualFleet
) -> None:
    """Exit code 130 again; the boards restore themselves with nobody there."""
    before = [power_state(board) for board in fleet.boards]
    with jetbench.started(*SHORT) as started:
        started.wait_for(r"virt-0\d: 1/5")
        started.process.send_signal(signal.SIGINT)
        started.wait_for("SIGINT: ending")
        started.process.send_signal(signal.SIGINT)
        done = started.end()
    assert done.status == 130
    wait_until(lambda: not any(processes_of(board.root) for board in fleet.boards))
    assert [power_state(board) for board in fleet.boards] == before
    for board in fleet.boards:
        _forget(board)


def test_a_killed_program_leaves_boards_that_end_by_themselves(
    jetbench: Program, fleet: VirtualFleet
) -> None:
    """They finish the sweep, restore themselves, and measure again for the next program."""
    board = fleet.boards[0]
    before = power_state(board)
    with jetbench.started(*SHORT, "-b", board.name) as started:
        started.wait_for(r"virt-01: 1/5")
        started.process.kill()
        assert started.process.wait() == -signal.SIGKILL
    assert processes_of(board.root)
    wait_until(lambda: not processes_of(board.root))
    assert power_state(board) == before
    journals = list((board.home / ".jetbench/sweeps").glob("*/journal"))
    assert [
        len(re.findall("^@done id=[1-5] ", journal.read_text(), re.MULTILINE))
        for journal in journals
    ] == [5]
    again = jetbench("run", "bvlc_alexnet", "--repeats", "1", "-b", board.name)
    assert again.status == 0, again.err
    _forget(board)


def test_a_cut_cable_costs_no_trial(jetbench: Program, fleet: VirtualFleet) -> None:
    """The board measures on; the host connects again and gets every byte of the journal."""
    with jetbench.started(*SHORT) as started:
        for trial in (1, 3):
            started.wait_for(rf"virt-01: {trial}/5")
            fleet.boards[0].cut()
        done = started.end()
    assert done.status == 0, done.err
    assert "virt-01: the connection broke; connecting again" in done.err
    for record in done.document["records"]:
        assert record["status"] == "ok"
        assert record["forward_ms"]["n"] == 5
    first = done.document["boards"]["virt-01"]
    assert first["notes"]
    assert first["restored"] is True
    journal = (jetbench.sweep() / "journals/virt-01").read_text()
    for word in ("@trial", "@done"):
        assert re.findall(rf"^{word} id=(\d)", journal, re.MULTILINE) == list("012345")
    assert at_rest(fleet.boards[0])


def test_a_board_that_restarts_is_measured_to_the_end(
    jetbench: Program, fleet: VirtualFleet
) -> None:
    """What it had measured is kept, the rest is measured once it is back, and a note says so."""
    board = fleet.boards[0]
    before = power_state(board)
    with jetbench.started(*SHORT) as started:
        started.wait_for(r"virt-01: 2/5")
        board.reboot()
        done = started.end()
    assert done.status == 0, done.err
    for record in done.document["records"]:
        assert record["status"] == "ok"
        assert [trial["id"] for trial in record["trials"]] == [1, 2, 3, 4, 5]
        assert record["forward_ms"]["n"] == 5
    told = done.document["boards"]["virt-01"]
    assert "the board went down; measuring the" in told["notes"][-1]
    assert told["restored"] is True
    # A reboot lets the clocks go, whatever they were before.
    assert power_state(board)[0] == before[0]
    assert at_rest(board)


def test_a_board_that_goes_away_is_given_up(
    fleet: VirtualFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while, honestly as lost; what had come from it is kept."""
    monkeypatch.setattr(contact, "RECONNECT_S", 1.5)
    monkeypatch.setenv("HOME", str(tmp_path))
    inventory = parse_inventory(fleet.inventory_text(), "test")
    plan = make_plan(inventory.boards, ["bvlc_alexnet"], Options(repeats=6), ("jetbench",))
    gone = fleet.boards[1]
    taken = sweep.run_sweep

    def unplugging(*arguments: object) -> object:
        """The sweep, in which a board is unplugged when its first trial is done."""
        for event in taken(*arguments):  # type: ignore[arg-type]
            if event.board == gone.name and b"@done id=1" in getattr(event, "data", b""):
                gone.pause()
                gone.cut()
            yield event

    monkeypatch.setattr(carrying_out, "run_sweep", unplugging)
    recorder = new_recorder(plan, tmp_path / "results")
    result = recorder.result(interrupted=carry_out(plan, recorder, quiet=True))
    assert exit_code(result) == 1
    good, lost = result.records
    assert good.status == "ok"
    assert lost.forward_ms is not None
    assert lost.forward_ms.n >= 1
    assert lost.status == "suspect"
    assert any("given up after" in reason for reason in lost.reasons)
    assert {trial.failure is None for trial in lost.trials} == {True, False}
    assert all(trial.lost for trial in lost.trials if trial.failure)
    assert result.boards[1].error is not None
    assert result.boards[1].restored is not True
    wait_until(lambda: not processes_of(gone.root))
    gone.resume()
    _forget(gone)


def _forget(board: VirtualBoard) -> None:
    """Remove what a sweep without an end has left on a board: its journal, for whoever asks."""
    shutil.rmtree(board.home / ".jetbench", ignore_errors=True)
