"""Runs of `caffe` on a virtual board that do not end well, a clock that is set, a slow answer."""

from __future__ import annotations

import re
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import paramiko
import pytest

from jetbench.formats.caffe_log import classify, parse_log
from jetbench.virtual.clock import JUMP_S
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.virtual.helpers import CAFFE, FAST, Root, connected, run
from tests.virtual.test_virtual_caffe import SMALL

if TYPE_CHECKING:
    from pathlib import Path

LOG_BLOCKS = 4096
"""Of 512 bytes: the largest file that a run may write here."""


class Board(Root):
    """A board, and a net to run there as the runner does."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        super().__init__(folder / "board", replace(FAST, faults=faults))
        self.log = folder / "log"
        self.model = folder / "small.prototxt"
        self.model.write_text(SMALL)

    def time(self, *flags: str, limit_s: float = 20) -> int:
        """One run, whose log goes to a file of limited size; its exit status."""
        command = f"{CAFFE} time -model {self.model} -iterations 4 {' '.join(flags)}"
        limits = f"ulimit -f {LOG_BLOCKS}; exec timeout -k 0.3 {limit_s}"
        return self.run(f"({limits} {command}) >{self.log} 2>&1").status


ENDS: dict[str, tuple[Faults, int, str, str]] = {
    "a check of Caffe's": (
        Faults(aborts_at=2), 128 + signal.SIGABRT, "cuda", "unspecified launch failure",
    ),
    "a segmentation fault": (Faults(crashes_at=2), 128 + signal.SIGSEGV, "crashed", "SIGSEGV"),
    "status 1": (Faults(exits_at=2), 1, "crashed", "exit status 1 and no message"),
    "out of memory": (Faults(killed_at=2), 128 + signal.SIGKILL, "killed", "ran out of memory"),
    "an endless log": (
        Faults(endless_log_at=2), 128 + signal.SIGXFSZ, "crashed", "grew too large",
    ),
    "silence": (Faults(silent_at=2), 0, "not_caffe", "it is empty"),
}  # fmt: skip


@pytest.mark.parametrize("what", ENDS)
def test_one_run_ends_badly(tmp_path: Path, what: str) -> None:
    """The second, with its own status and the words that go with it; the others are well."""
    faults, status, kind, words = ENDS[what]
    board = Board(tmp_path, faults)
    assert board.time("-gpu 0") == 0
    assert board.time("-gpu 0") == status
    data = board.log.read_bytes()
    assert len(data) <= LOG_BLOCKS * 512
    failure = classify(parse_log(data), status)
    assert failure is not None
    assert (failure.kind, words in failure.message) == (kind, True), failure
    assert board.time("-gpu 0") == 0


@pytest.mark.parametrize(
    ("faults", "begun"), [(Faults(hangs_at=1), True), (Faults(silent_hang_at=1), False)]
)
def test_a_run_hangs_until_it_is_killed(tmp_path: Path, faults: Faults, *, begun: bool) -> None:
    """It does not listen to SIGTERM; one that says nothing has not even begun."""
    board = Board(tmp_path, faults)
    assert board.time("-gpu 0", limit_s=1) == 128 + signal.SIGKILL
    log = board.log.read_text()
    assert ("Benchmark begins" in log) is begun
    assert bool(log) is begun
    assert board.time("-gpu 0") == 0


def clock_s(board: Root) -> int:
    """The board's clock, less that of this machine; seconds."""
    return int(board.run("date -u +%s").out) - int(time.time())


@pytest.mark.parametrize(
    ("faults", "jump_s"), [(Faults(clock_jumps_at=2), JUMP_S), (Faults(clock_falls_at=2), -JUMP_S)]
)
def test_a_clock_is_set_while_caffe_runs(tmp_path: Path, faults: Faults, jump_s: int) -> None:
    """The stamps of the log show it; on the CPU Caffe takes the jump for time that has passed."""
    board = Board(tmp_path, faults)
    board.time()
    assert abs(clock_s(board)) < 5
    board.time()
    assert clock_s(board) == pytest.approx(jump_s, abs=5)
    days = re.findall(
        r"^I(\d{4}) .*Benchmark (?:begins|ends)", board.log.read_text(), re.MULTILINE
    )
    assert days[0] != days[1]
    total = re.search(r"Total Time: (\S+) ms", board.log.read_text())
    assert total is not None
    assert float(total[1]) == pytest.approx(jump_s * 1e3, rel=0.01)
    board.time()
    assert parse_log(board.log.read_bytes()).complete


def test_with_a_gpu_only_the_stamps_jump(tmp_path: Path) -> None:
    """CUDA's events have a clock of their own."""
    board = Board(tmp_path, Faults(clock_jumps_at=1))
    board.time("-gpu 0")
    total_ms = parse_log(board.log.read_bytes()).total_ms
    assert total_ms is not None
    assert total_ms < 1000


@pytest.mark.parametrize(
    ("faults", "jump_s"),
    [(Faults(clock_jumps_after=1), JUMP_S), (Faults(clock_falls_after=1), -JUMP_S)],
)
def test_a_clock_is_set_between_two_runs(tmp_path: Path, faults: Faults, jump_s: int) -> None:
    """While the log of the first is packed: before and behind it all is as it should be."""
    board = Board(tmp_path, faults)
    for packed in (False, True, True):
        board.time()
        assert parse_log(board.log.read_bytes()).complete
        assert clock_s(board) == pytest.approx(jump_s if packed else 0, abs=5)
        text = board.run(f"gzip -c {board.log} | gzip -dc").out
        assert text == board.log.read_text()


def test_a_board_whose_clock_is_right_has_no_stand_ins_for_it(tmp_path: Path) -> None:
    """They would cost it time; nothing is left of an earlier fault."""
    Board(tmp_path, Faults(clock_jumps_at=1)).time()
    board = Board(tmp_path, Faults())
    assert abs(clock_s(board)) < 5
    assert str(board.path) not in board.run("command -v date gzip").out


def test_sudo_stops_working(tmp_path: Path) -> None:
    """After so many times, with a password or without."""
    board = Board(tmp_path, Faults(sudo_stops_after=2))
    assert [board.run("sudo -n echo yes").out for _ in range(3)] == ["yes\n", "yes\n", ""]
    assert "a password is required" in board.run("sudo -n true").err
    assert "not in the sudoers file" in board.run("sudo -S true", stdin="nvidia\n").err


def test_a_slow_board_answers_in_the_end(tmp_path: Path) -> None:
    """A byte at a time, whole."""
    options = replace(FAST, faults=Faults(slow=2000))
    with VirtualFleet(1, tmp_path, [options]) as fleet:
        began_s = time.monotonic()
        with connected(fleet, fleet.boards[0]) as client:
            assert run(client, "seq 200").out.split() == [str(n) for n in range(1, 201)]
        assert time.monotonic() - began_s > 692 / 2000


def test_a_board_answers_rubbish(tmp_path: Path) -> None:
    """It lets its user in; what comes then means nothing, a megabyte of it."""
    options = BoardOptions(faults=Faults(rubbish=True))
    with (
        VirtualFleet(1, tmp_path, [options]) as fleet,
        connected(fleet, fleet.boards[0]) as client,
    ):
        transport = client.get_transport()
        assert isinstance(transport, paramiko.Transport)
        channel = transport.open_session(timeout=20)
        channel.exec_command("echo yes")
        data = channel.makefile("rb").read()
        assert len(data) == 1_000_000
        assert b"yes\n" not in data[:4]
