"""A board that never ends: every wait has a limit, and every journal a largest size."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from jetbench.bench import part_so_far, sweep, visit
from jetbench.bench.plan import make_plan
from jetbench.bench.recorder import Recorder
from jetbench.bench.sweep import Door, run_sweep
from jetbench.domain.errors import BoardAnswerError, LinkLostError
from jetbench.domain.events import Finished, JournalBytes
from jetbench.domain.plan import Options
from jetbench.formats.inventory import parse_inventory
from jetbench.remote.connection import Connector
from jetbench.remote.session import Session
from tests.e2e.hostile_board import HostileBoard, hostile_board

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.domain.errors import BoardError
    from jetbench.domain.plan import Plan
    from jetbench.domain.record import SweepResult

JOURNAL = 'say("journal"); out(b"@start version=1 up=1\\n" + trial(1, log(7.0)))\n'
ENDLESS = {
    "a torrent": ("while True: out(b'x' * 65536)", "has more than"),
    "a drop now and then": ("while True: out(b'~'); time.sleep(0.05)", "longer than all"),
    "events without end": ("while True: out(b'@rest mode=1\\n'); time.sleep(0.05)", "longer"),
    "silence": ("time.sleep(600)", "longer than all"),
    "an end without end": ("out(b'#' + NONCE + b' eof'); time.sleep(600)", "longer than all"),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileBoard]:
    """A board that can be told what to say."""
    with hostile_board(tmp_path_factory.mktemp("hostile")) as board:
        yield board


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours are a second, and a gigabyte a few megabytes."""
    monkeypatch.setattr(visit, "TRIAL_SLACK_S", -0.5)
    monkeypatch.setattr(part_so_far, "MAX_JOURNAL_BYTES", 4 * 2**20)
    monkeypatch.setattr("jetbench.remote.session.START_TIMEOUT_S", 1.0)


def plan_for(hostile: HostileBoard) -> Plan:
    """Two trials, the silence between which may last for half a second."""
    boards = parse_inventory(hostile.inventory.read_text(), "inventory.yaml").boards
    options = Options(
        batches=(1,), repeats=2, power_modes=("keep",), clocks=False, gpu=0, warm_ups=0,
        timeout_s=1, cooldown_c=None,
    )  # fmt: skip
    return make_plan(boards, ["vgg16"], options, ["jetbench"])


def swept(hostile: HostileBoard, results: Path) -> tuple[BoardError | None, SweepResult]:
    """Run it, keep it, and say how it ended."""
    plan = plan_for(hostile)
    recorder = Recorder.create(plan, results)
    error: BoardError | None = None
    with Connector() as connector:
        door = Door(connector.connect, lambda _: "", "who=test")
        for event in run_sweep(plan, door, threading.Event()):
            recorder.take(event)
            if isinstance(event, Finished):
                error = event.error
    return error, recorder.result()


@pytest.mark.parametrize("what", ENDLESS)
def test_a_board_without_end_is_given_up(hostile: HostileBoard, tmp_path: Path, what: str) -> None:
    """What it had measured is kept, what it had not is lost, and the disk is not filled."""
    text, reason = ENDLESS[what]
    hostile.answers(journal=JOURNAL + text)
    error, result = swept(hostile, tmp_path)
    assert isinstance(error, BoardAnswerError)
    assert reason in error.message
    (record,) = result.records
    assert [trial.failure is None for trial in record.trials] == [True, False]
    assert record.trials[1].lost
    assert record.trials[1].failure is not None
    assert record.trials[1].failure.message == error.message
    kept = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert kept < 6 * 2**20


def test_what_comes_faster_than_it_is_stored_waits_on_the_board(
    hostile: HostileBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in memory: after a pause little more has come than before it."""
    monkeypatch.setattr(part_so_far, "MAX_JOURNAL_BYTES", 2**40)
    monkeypatch.setattr(sweep, "MAX_EVENTS_WAITING", 2)
    monkeypatch.setattr(visit, "TRIAL_SLACK_S", 600)
    hostile.answers(
        journal=JOURNAL + "sent = 0\nwhile True:\n    out(b'x' * 65536)\n    sent += 65536\n"
        "    open(ROOT + '/sent', 'w').write(str(sent))"
    )
    with Connector() as connector:
        door = Door(connector.connect, lambda _: "", "who=test")
        events = run_sweep(plan_for(hostile), door, threading.Event())
        while not isinstance(next(events), JournalBytes):
            pass
        # So long nothing is stored; a board that need not wait sends ten times the limit.
        time.sleep(2)
        sent = int((hostile.board.root / "sent").read_text())
    assert sent < 10 * 2**20


@contextmanager
def session(hostile: HostileBoard) -> Iterator[Session]:
    """The protocol over a connection of its own."""
    (board,) = parse_inventory(hostile.inventory.read_text(), "inventory.yaml").boards
    with Connector() as connector, connector.connect(board) as link:
        yield Session(link)


@pytest.mark.parametrize(
    "text",
    [
        'say("begin")\nwhile True: out(b"x"); time.sleep(0.1)',
        'while True: out(b"x"); time.sleep(0.1)',
        'out(b"#" + NONCE + b" ")\nwhile True: out(b"x"); time.sleep(0.1)',
        "time.sleep(600)",
    ],
)
def test_a_board_that_answers_a_drop_at_a_time_is_not_waited_for(
    hostile: HostileBoard, text: str
) -> None:
    """A probe that is never silent and never done ends with its time."""
    hostile.answers(probe=text)
    with session(hostile) as asked, pytest.raises((BoardAnswerError, LinkLostError)):
        asked.probe(caffe=None, caffe_root=None, gpu="none", timeout_s=1)
