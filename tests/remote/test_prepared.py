"""Boards that somebody has prepared: links, open folders and variables where ours are to be."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from jetbench.bench.guard import Guard
from jetbench.domain.errors import NotReadyError
from jetbench.formats.journal import EventReader
from jetbench.remote.session import Session
from tests.remote.sweeping import drain, parcel, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.remote.folder_board import Board

SECRET = r"""it's "$HOME" `x` \n ü€ 5"""


@pytest.fixture
def no_umask() -> Iterator[None]:
    """Everything that is made without care can be written by everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def elsewhere(board: Board) -> Path:
    """A folder that nothing of ours may reach, with a file in it."""
    folder = board.root / "elsewhere"
    folder.mkdir()
    (folder / "precious").write_text("as it was")
    return folder


def assert_untouched(folder: Path) -> None:
    """Nothing was written, made or deleted there."""
    assert [path.name for path in folder.iterdir()] == ["precious"]
    assert (folder / "precious").read_text() == "as it was"


@pytest.mark.parametrize("place", [".jetbench", ".jetbench/sweeps"])
def test_a_link_in_the_place_of_a_folder_is_refused(board: Board, place: str) -> None:
    """Nothing is written where it leads, and nothing runs."""
    target = elsewhere(board)
    (board.home / place).parent.mkdir(exist_ok=True)
    (board.home / place).symlink_to(target)
    with pytest.raises(NotReadyError, match="is not a folder of"):
        Session(board.link()).start(parcel(board), password=None)
    if place == ".jetbench":
        with pytest.raises(NotReadyError, match="is not a folder of"):
            Session(board.link()).restore(password=None)
    assert_untouched(target)
    assert board.mode == "3"


def test_a_link_in_the_place_of_the_sweep_is_replaced(board: Board) -> None:
    """What it leads to stays as it is, and the sweep lies in a folder of its own."""
    target = elsewhere(board)
    made = parcel(board, trials=1)
    (board.home / ".jetbench/sweeps").mkdir(parents=True, mode=0o700)
    (board.home / ".jetbench/sweeps" / made.sweep_id).symlink_to(target)
    follower = Session(board.link()).start(made, password=None)
    assert read(drain(follower))[2] == "finished"
    follower.forget()
    assert_untouched(target)


def test_a_link_in_the_place_of_the_holders_note_is_replaced(board: Board) -> None:
    """Who measures is written to a file of ours, not to where a link leads."""
    target = elsewhere(board)
    (board.home / ".jetbench").mkdir(mode=0o700)
    (board.home / ".jetbench/holder").symlink_to(target / "precious")
    follower = Session(board.link()).start(parcel(board, trials=1), password=None)
    drain(follower)
    assert not (board.home / ".jetbench/holder").is_symlink()
    assert "ann@desk" in (board.home / ".jetbench/holder").read_text()
    follower.forget()
    assert_untouched(target)


@pytest.mark.parametrize("kind", ["state", "nothing"])
def test_a_link_in_the_place_of_the_saved_state_is_not_followed(board: Board, kind: str) -> None:
    """Root restores nothing that somebody else may have written, and deletes nothing there."""
    target = elsewhere(board)
    if kind == "state":
        (target / "mode").write_text("1\n")
        (target / "clocks").write_text("free\n")
    (board.root / "var/lib/jetbench").symlink_to(target)
    guard, trials, end = read(drain(Session(board.link()).start(parcel(board), password=None)))
    assert (trials, end) == ([], "guard-failed")
    assert [said["state"] for said in guard] == ["failed"]
    assert "is a link" in guard[0]["reason"]
    assert board.mode == "3", "the mode that the target speaks of was not set"
    for name in ("mode", "clocks"):
        (target / name).unlink(missing_ok=kind == "nothing")
    assert_untouched(target)


def test_a_restore_by_hand_says_what_it_does_not_believe(board: Board) -> None:
    """At once, and not as if the link had been lost."""
    target = elsewhere(board)
    (target / "mode").write_text("1\n")
    (board.root / "var/lib/jetbench").symlink_to(target)
    said = Guard.read(EventReader().feed(Session(board.link()).restore(password=None)))
    assert "is a link; look at it, and remove it" in (said.failure or "")
    assert board.mode == "3"


def test_a_saved_state_that_others_may_write_is_not_believed(board: Board) -> None:
    """A folder that anybody can write to says nothing of the board's true state."""
    state = board.root / "var/lib/jetbench"
    state.mkdir()
    state.chmod(0o777)
    (state / "mode").write_text("1\n")
    guard, _, end = read(drain(Session(board.link()).start(parcel(board), password=None)))
    assert end == "guard-failed"
    assert "may be written by others" in guard[0]["reason"]
    assert board.mode == "3"


@pytest.mark.usefixtures("no_umask")
def test_files_are_private_with_a_umask_of_0(board: Board) -> None:
    """Folders 0700 and files 0600, of the user and of root; also in a folder that was open."""
    (board.home / ".jetbench").mkdir()
    assert stat.S_IMODE((board.home / ".jetbench").stat().st_mode) == 0o777
    follower = Session(board.link()).start(
        parcel(board, trials=1, TELEMETRY="1", REST_S="1"), password=None
    )
    seen: dict[str, int] = {}
    for _ in follower.chunks(patience_s=30, wakeup_s=0.05, wakeup=lambda: None):
        for place in (board.home / ".jetbench", board.root / "var/lib/jetbench"):
            for path in (place, *place.rglob("*")):
                if path.exists():
                    seen[str(path.relative_to(board.root))] = path.stat().st_mode
    follower.forget()
    state = seen.pop("var/lib/jetbench")
    assert stat.S_IMODE(state) == 0o711, "its user reads the sensors' file in it, by name"
    assert {"home/nvidia/.jetbench/sweeps", "var/lib/jetbench/mode"} < set(seen)
    assert {name for name, mode in seen.items() if mode & 0o077} == set()


def test_a_password_does_not_become_a_variable_of_the_board(board: Board) -> None:
    """Also where the user's own environment has variables of the names that we use."""
    (board.root / "etc/password").write_text(SECRET + "\n")
    caffe = board.home / "caffe/build/tools/caffe"
    caffe.write_text("#!/bin/sh\nenv >&2\n")
    link = board.link()
    link.env |= dict.fromkeys(("secret", "answer", "line", "password", "PASSWORD"), "theirs")
    follower = Session(link).start(parcel(board, trials=1, SUDO="password"), password=SECRET)
    data = drain(follower)
    guard, [trial], end = read(data)
    assert (end, guard[-1]["state"]) == ("finished", "restored"), data
    assert b"JETBENCH_ROOT=" in (trial.log or b"")
    assert SECRET.encode() not in (trial.log or b"") + data


@pytest.mark.parametrize("password", [SECRET, "with \udcff bytes", " ends blank ", "-n", "\\"])
def test_any_password_arrives_as_it_is(board: Board, password: str) -> None:
    """Quotes, blanks, dollars, backslashes, non-ASCII, and bytes that are no UTF-8."""
    (board.root / "etc/password").write_text(password, errors="surrogateescape")
    made = parcel(board, trials=1, SUDO="password")
    follower = Session(board.link()).start(made, password=password)
    assert read(drain(follower))[2] == "finished"
    follower.forget()
    assert Session(board.link()).restore(password=password) == b"@guard state=nothing\n"
