"""Sweeps on a board in a folder: what to send, and what its journal says."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from jetbench.formats.journal import EventReader, JournalReader
from jetbench.remote.parcel import Parcel, Row

if TYPE_CHECKING:
    from jetbench.formats.journal import JournalTrial
    from jetbench.remote.session import Follower
    from tests.remote.folder_board import Board

SWEEP = "20260102-030405-a1b2c3"


def parcel(
    board: Board,
    *,
    sweep: str = SWEEP,
    trials: int = 2,
    rows: tuple[Row, ...] = (),
    **settings: str,
) -> Parcel:
    """A sweep of a few trials of one net."""
    return Parcel(
        sweep_id=sweep,
        part=1,
        board="virt-01",
        holder=f'who="ann@desk" since=2026-01-02T03:04:05Z sweep={sweep}',
        settings={
            "SWEEP": sweep,
            "CAFFE": str(board.home / "caffe/build/tools/caffe"),
            "CAFFE_DIR": str(board.home / "caffe"),
            "FLAGS": "-gpu 0 -phase TEST",
            "GUARD": "1",
            "SUDO": "nopasswd",
            "CLOCKS": "1",
            "TIMEOUT_S": "20",
            "DEADLINE_S": "",
            "LOG_BLOCKS": "2000",
            "TELEMETRY": "0",
            "REST_S": "0",
            "COOL_MC": "",
            "COOL_WAIT_S": "1",
            "PRECISION": "",
            "MIN_REPEATS": "1",
            **settings,
        },
        environment=(("ODD", "it's; $(touch nowhere) `x`\n"),),
        trials=rows
        or tuple(Row(number, "0.prototxt", 7, "0", 0, number) for number in range(1, trials + 1)),
        models=(("0.prototxt", b'name: "x"\n'),),
    )


def drain(follower: Follower) -> bytes:
    """The rest of the journal."""
    return b"".join(follower.chunks(patience_s=30, wakeup_s=0.2, wakeup=lambda: None))


def drain_until(follower: Follower, kind: str, count: int = 1) -> bytes:
    """The journal up to an event, the board still at work."""
    reader, data = EventReader(), b""
    for chunk in follower.chunks(patience_s=30, wakeup_s=0.2, wakeup=lambda: None):
        data += chunk
        count -= sum(event.kind == kind for event in reader.feed(chunk))
        if count <= 0:
            return data
    pytest.fail(f"the journal ended before @{kind}:\n{data.decode()}")


def read(data: bytes) -> tuple[list[dict[str, str]], list[JournalTrial], str]:
    """What the guard said, the trials, and why it ended."""
    reader = JournalReader()
    trials = list(reader.trials(data.splitlines(keepends=True)))
    guard = [dict(event.fields) for event in reader.events if event.kind == "guard"]
    ends = [event.fields["reason"] for event in reader.events if event.kind == "end"]
    return guard, trials, ends[-1] if ends else ""


def states(guard: list[dict[str, str]]) -> list[str]:
    """What became of power mode and clocks, in order, once their state was saved."""
    return [said["state"] for said in guard if said.get("state", "saved") != "saved"]


def wait_for(condition: object, *, seconds: float = 60) -> None:
    """Return once it holds. A folder that goes while it is looked at is looked at again."""
    assert callable(condition)
    give_up = time.monotonic() + seconds
    while True:
        with suppress(FileNotFoundError):
            if condition():
                return
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.05)
