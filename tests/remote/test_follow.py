"""The script that prints a journal to its end, and deletes it where it has leave to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import BoardAnswerError
from jetbench.formats.on_board import parse_described
from jetbench.remote.session import Session
from tests.remote.sweeping import SWEEP, drain, drain_until, parcel, read

if TYPE_CHECKING:
    from tests.remote.folder_board import Board


def test_without_leave_to_delete_the_journal_stays(board: Board) -> None:
    """A host that goes away without having stored the journal finds it again, whole."""
    follower = Session(board.link()).start(parcel(board), password=None)
    data = drain(follower)
    follower.leave()
    again = Session(board.link()).follow(SWEEP, 0)
    assert again is not None
    assert drain(again) == data


def test_what_is_safe_is_deleted_over_another_link(board: Board) -> None:
    """Where the link broke before leave could be given; twice does no harm."""
    size = len(drain(Session(board.link()).start(parcel(board), password=None)))
    with pytest.raises(BoardAnswerError, match="goes on after its end"):
        Session(board.link()).forget(SWEEP, size - 1)
    assert (board.home / ".jetbench/sweeps" / SWEEP / "journal").exists()
    Session(board.link()).forget(SWEEP, size)
    assert not (board.home / ".jetbench").exists()
    Session(board.link()).forget(SWEEP, size)


def test_what_is_being_deleted_is_not_described(board: Board) -> None:
    """Half of it would be taken for all."""
    sent = replace(parcel(board), plan=b"{}")
    drain(Session(board.link()).start(sent, password=None))
    described = Session(board.link()).describe(SWEEP)
    assert described is not None
    assert (described.plan, described.models) == ("{}", {0: b'name: "x"\n'})
    (board.home / ".jetbench/sweeps" / SWEEP / "started").unlink()
    assert Session(board.link()).describe(SWEEP) is None
    assert parse_described(b"plan.json e30=\nwhole MQ==\n") is not None
    assert parse_described(b"plan.json e30=\n") is None


def test_who_looks_makes_nothing_anew(board: Board) -> None:
    """A part that is just being deleted: a new file in its folder would keep the folder."""
    drain(Session(board.link()).start(parcel(board), password=None))
    folder = board.home / ".jetbench/sweeps" / SWEEP
    (folder / "journal").unlink()
    assert [part.running for part in Session(board.link()).status().parts] == []
    assert not (folder / "journal").exists()


def test_a_lost_link_goes_on_from_the_offset(board: Board) -> None:
    """Cut in the middle, the rest comes over another connection; nothing runs twice."""
    link = board.link()
    follower = Session(link).start(parcel(board, trials=4), password=None)
    data = drain_until(follower, "done", 2)
    link.close()
    again = Session(board.link()).follow(SWEEP, follower.offset)
    assert again is not None
    _, trials, end = read(data + drain(again))
    assert [trial.id for trial in trials] == [1, 2, 3, 4]
    assert all(trial.problem is None for trial in trials)
    assert end == "finished"


def test_starting_a_sweep_twice_only_follows_it(board: Board) -> None:
    """A host that does not know whether its start arrived may send it again."""
    first = Session(board.link()).start(parcel(board, trials=3), password=None)
    second = Session(board.link()).start(parcel(board, trials=3), password=None)
    assert drain(second) == drain(first)
    _, trials, _ = read((board.home / f".jetbench/sweeps/{SWEEP}/journal").read_bytes())
    assert [trial.id for trial in trials] == [1, 2, 3]
