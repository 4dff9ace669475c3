"""Several hosts and one board: never two at once, in the order of their coming."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import BusyError
from jetbench.formats.journal import JournalReader
from jetbench.remote.session import Session
from tests.remote.folder_board import missing_tools
from tests.remote.sweeping import drain, drain_until, parcel, read, states, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.remote.folder_board import Board

pytestmark = pytest.mark.skipif(bool(missing_tools()), reason="needs GNU/Linux")
HOSTS = 20


def sweep_of(number: int) -> str:
    """The id of a host's sweep."""
    return f"20260102-030405-{number:06x}"


def spans(journals: list[bytes]) -> list[tuple[float, float]]:
    """From the first word of each sweep to its guard's last trial, by the board's uptime."""
    found = []
    for journal in journals:
        reader = JournalReader()
        list(reader.trials(journal.splitlines(keepends=True)))
        ups = [float(event.fields["up"]) for event in reader.events if "up" in event.fields]
        found.append((min(ups), max(ups)))
    return sorted(found)


def at_once(board: Board, job: Callable[[int], None]) -> None:
    """The same on as many hosts at the same moment."""
    together = threading.Barrier(HOSTS)

    def one(number: int) -> None:
        together.wait()
        job(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(HOSTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert not (board.home / ".jetbench").exists()


def test_of_twenty_hosts_at_once_one_measures(board: Board) -> None:
    """The others are told who, at once; not one of them leaves anything behind."""
    (board.home / "seconds").write_text("6")
    journals: list[bytes] = []
    told: list[str] = []

    def host(number: int) -> None:
        mine = parcel(board, sweep=sweep_of(number), trials=1)
        try:
            follower = Session(board.link()).start(mine, password=None)
        except BusyError as error:
            told.append(error.message)
            return
        journals.append(drain(follower))
        follower.forget()

    at_once(board, host)
    assert len(journals) == 1
    assert len(told) == HOSTS - 1
    assert all("ann@desk measures there since" in words for words in told)
    assert (board.mode, board.locked) == ("3", False)


def test_twenty_hosts_that_wait_measure_one_after_the_other(board: Board) -> None:
    """Everybody has a turn; no two sweeps overlap; each one finds the board as it was."""
    journals: list[bytes] = []

    def host(number: int) -> None:
        mine = parcel(board, sweep=sweep_of(number), trials=1)
        follower = Session(board.link()).start(mine, password=None, wait_s=120)
        journals.append(drain(follower))
        follower.forget()

    at_once(board, host)
    assert len(journals) == HOSTS
    for (_, end), (begin, _) in itertools.pairwise(spans(journals)):
        assert end <= begin
    for journal in journals:
        guard, trials, end_reason = read(journal)
        assert [trial.id for trial in trials] == [1]
        assert end_reason == "finished"
        assert states(guard) == ["ready", "restored"]
    assert (board.mode, board.locked) == ("3", False)


def test_who_waits_is_let_in_before_who_comes_later(board: Board) -> None:
    """In the order of their coming; who does not wait is not let past those who do."""
    (board.home / "seconds").write_text("3")
    first = Session(board.link()).start(parcel(board, trials=1), password=None)
    order: list[int] = []

    def wait(number: int) -> None:
        mine = parcel(board, sweep=sweep_of(number), trials=1)
        follower = Session(board.link()).start(mine, password=None, wait_s=60)
        order.append(number)
        (board.home / "seconds").write_text("1")
        drain(follower)
        follower.forget()

    line = board.home / ".jetbench/line"
    threads = []
    for number in (1, 2, 3):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        wait_for(lambda n=number: len(list(line.glob("*/probe"))) == n)
    drain(first)
    with pytest.raises(BusyError):
        Session(board.link()).start(parcel(board, sweep=sweep_of(9)), password=None)
    for thread in threads:
        thread.join(60)
    assert order == [1, 2, 3]


def test_who_leaves_the_line_is_not_waited_for(board: Board) -> None:
    """A host that dies while it waits leaves nothing that could hold up others."""
    (board.home / "seconds").write_text("4")
    first = Session(board.link()).start(parcel(board, trials=1), password=None)
    told: list[str] = []
    gone = board.link()

    def leave(who: str) -> None:
        told.append(who)
        raise BusyError(who)

    with pytest.raises(BusyError):
        Session(gone).start(
            parcel(board, sweep=sweep_of(1)), password=None, wait_s=60, waiting=leave
        )
    assert "ann@desk" in told[0]
    assert list((board.home / ".jetbench/line").iterdir())
    gone.end()
    drain(first)
    first.forget()
    (board.home / "seconds").write_text("0")
    follower = Session(board.link()).start(parcel(board, sweep=sweep_of(2)), password=None)
    drain(follower)
    follower.forget()
    assert not (board.home / ".jetbench").exists()


def test_a_wait_has_an_end(board: Board) -> None:
    """After so many seconds the board is busy, and nothing is left in line."""
    (board.home / "seconds").write_text("8")
    first = Session(board.link()).start(parcel(board, trials=1), password=None)
    with pytest.raises(BusyError, match="ann@desk"):
        Session(board.link()).start(parcel(board, sweep=sweep_of(1)), password=None, wait_s=2)
    wait_for(lambda: not list((board.home / ".jetbench").glob("line/*")))
    Session(board.link()).stop(parcel(board).key)
    drain(first)
    first.forget()


def test_a_lock_of_a_live_sweep_is_not_broken(board: Board) -> None:
    """Who is there is said, and how to end it; with force it is ended, and the board put back."""
    (board.home / "seconds").write_text("60")
    follower = Session(board.link()).start(parcel(board), password=None)
    data = drain_until(follower, "trial")
    with pytest.raises(BusyError, match="ann@desk") as refused:
        Session(board.link()).unlock(force=False, password=None)
    assert refused.value.hint is not None
    assert "jetbench stop 20260102-030405-a1b2c3" in refused.value.hint
    assert Session(board.link()).unlock(force=True, password=None) is True
    guard, _, _ = read(data + drain(follower))
    assert states(guard)[-1] == "restored"
    assert Session(board.link()).unlock(force=False, password=None) is False


def test_a_guard_that_hangs_is_ended(board: Board) -> None:
    """A tool of NVIDIA's that never comes back holds the lock of a sweep that is long dead."""
    follower = Session(board.link()).start(parcel(board, trials=1), password=None)
    data = drain_until(follower, "trial")
    assert data
    slow = board.root / "usr/bin/jetson_clocks"
    whole = slow.read_text()
    slow.write_text(
        whole.replace("--restore)", "--restore) trap '' TERM; sleep 50 & wait; sleep 50;")
    )
    folder = board.home / f".jetbench/sweeps/{parcel(board).key}"
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    wait_for(lambda: "state" in (folder / "journal").read_text())
    assert Session(board.link()).unlock(force=False, password=None) is True
    slow.write_text(whole)
    subprocess.run(["pkill", "-KILL", "-f", str(slow)], check=False)
    assert Session(board.link()).status().left_behind
    Session(board.link()).restore(password=None)
    assert (board.mode, board.locked) == ("3", False)
    again = Session(board.link()).follow(folder.name, 0)
    assert again is not None
    drain(again)
    again.forget()
    wait_for(lambda: not (board.home / ".jetbench").exists())
