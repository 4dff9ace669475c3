"""The sweep: one thread a board, one stream of events.

Inside a board's thread errors are raised; at the border of the fleet they become the `error`
of its `Finished`. No thread writes to a disk or a terminal: whoever consumes the events does.
"""

from __future__ import annotations

import gc
import queue
import random
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from jetbench.analysis.readiness import lacks
from jetbench.bench.models import decode
from jetbench.bench.plan import prepare
from jetbench.domain.errors import (
    BoardAnswerError,
    BoardError,
    JetbenchError,
    LinkLostError,
    ModelError,
    NotReadyError,
    UnreachableError,
)
from jetbench.domain.events import (
    Connecting,
    Finished,
    JournalBytes,
    JournalComplete,
    Note,
    Planned,
    PutBack,
    Reached,
    Receipt,
)
from jetbench.domain.timing import Failure
from jetbench.formats.journal import EventReader
from jetbench.remote.session import Parcel, Row, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from jetbench.domain.board import Board
    from jetbench.domain.events import SweepEvent
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.plan import Case, Plan
    from jetbench.remote.connection import Link
    from jetbench.remote.session import Follower

    T = TypeVar("T")

TRIAL_SLACK_S = 60.0
"""Beyond a trial's limit: setting power and clocks, packing the log, putting back."""
STORE_TIMEOUT_S = 120.0
RECONNECT_S = 180.0
"""How long a board may be out of reach before it is given up; it measures on meanwhile."""
STOPPING_S = 20.0
"""The same, once the sweep is to be stopped: somebody waits at a terminal."""
MAX_FOLLOWS = 100
"""How often one journal is asked for: a board that lies about its size must not keep us."""
MAX_JOURNAL_BYTES = 2**30
"""Of one board, on this machine's disk. A trial has some 20 kB, and at most 600 kB for each
quarter of an hour that it lasts: no honest sweep of a week comes to this."""
MAX_EVENTS_WAITING = 64
"""A board that sends more than can be stored waits, and what it sent is not in memory."""
WAKEUP_S = 1.0
LOG_BLOCKS = 128 * 1024
"""The largest log of a trial, in blocks of 512 bytes: 64 MiB."""
REST_S = 1
"""How long a board's power is read at rest, in each power mode."""


_PUT_BACK = {"restored", "not-restored"}


@dataclass(frozen=True, slots=True)
class Door:
    """How a sweep reaches its boards: what differs between a program and a test."""

    connect: Callable[[Board], Link]
    password: Callable[[Board], str]
    """The sudo password of a board that wants one."""
    holder: str
    """Who measures, as it is shown to others who find a board busy."""


def run_sweep(plan: Plan, door: Door, stop: threading.Event) -> Iterator[SweepEvent]:
    """Measure a plan on all of its boards.

    Args:
        plan: What to measure.
        door: How to reach the boards.
        stop: When set, every board ends its trial, is restored, and sends what it has.

    Yields:
        What happens, in the order in which it happens on each board. The last event of a
        board is `Finished`.
    """
    # What is loaded by now stays: the garbage collector need not look through all of it
    # again and again while the boards' threads make and drop their small objects.
    gc.freeze()
    events: queue.Queue[SweepEvent] = queue.Queue(MAX_EVENTS_WAITING)
    for board in plan.boards:
        visit = _Visit(plan, board, door, stop, events)
        threading.Thread(target=visit.run, name=f"jetbench {board.name}", daemon=True).start()
    left = len(plan.boards)
    while left:
        event = events.get()
        if isinstance(event, Finished):
            left -= 1
        yield event


@dataclass(slots=True)
class _Visit:
    """One board's part of a sweep, in its own thread."""

    plan: Plan
    board: Board
    door: Door
    stop: threading.Event
    events: queue.Queue[SweepEvent]
    link: Link | None = None
    received: int = 0
    stop_sent: bool = False
    guard: set[str] = field(default_factory=set)
    """Every state that the guard has told of."""
    jitter: random.Random = field(default_factory=random.Random)

    def run(self) -> None:
        error: BoardError | None = None
        try:
            self._measure()
        except BoardError as problem:
            error = problem
        except JetbenchError as problem:
            error = BoardError(problem.message, hint=problem.hint)
        except Exception as problem:  # noqa: BLE001 - a board's border: the others go on
            error = BoardError(f"jetbench itself failed: {type(problem).__name__}: {problem}")
        finally:
            self._hang_up()
            self.events.put(Finished(self.board.name, error))

    def _measure(self) -> None:
        name = self.board.name
        self.events.put(Connecting(name))
        self.link = self.door.connect(self.board)
        session = Session(self.link)
        gpu = self.plan.options.gpu_on(self.board)
        facts, answer = self._probe(session)
        if facts.left_behind and not self.plan.options.needs_guard:
            # A guard would put it back; without one it is to be done before anything is read.
            said = session.restore(password=self._password(facts))
            self.events.put(PutBack(name, said, of_this_sweep=False))
            facts, answer = self._probe(session)
        self.events.put(Reached(name, facts, answer))
        problems = [lack for lack in lacks(facts, self.plan.options, gpu) if lack.stops]
        if problems:
            message = "; ".join(lack.message for lack in problems)
            raise NotReadyError(message, hint="; ".join(lack.advice for lack in problems))
        cases, refused = self._fill(facts)
        self.events.put(Planned(name, tuple(cases.items()), refused))
        if not cases or self.stop.is_set():
            return
        password = self._password(facts) if self.plan.options.needs_guard else None
        parcel = self._parcel(facts, cases)
        follower = self._persist(lambda session: session.start(parcel, password=password), session)
        self._receive(follower)
        if "saved" in self.guard and self.guard.isdisjoint(_PUT_BACK):
            # It was killed, or the board went down and has come back.
            self._put_back(password)

    def _probe(self, session: Session) -> tuple[BoardFacts, bytes]:
        cases = self.plan.cases
        return session.probe(
            caffe=self.board.caffe,
            caffe_root=self.board.caffe_root,
            gpu=str(self.plan.options.gpu_on(self.board)),
            paths=tuple(case.board_path for case in cases if case.board_path is not None),
        )

    def _password(self, facts: BoardFacts) -> str | None:
        """The sudo password, where the board wants one."""
        return self.door.password(self.board) if facts.sudo == "password" else None

    def _put_back(self, password: str | None) -> None:
        """Do what the guard of this sweep could not."""
        name = self.board.name
        try:
            said = self._persist(lambda session: session.restore(password=password))
        except BoardError as error:
            message = f"power mode and clocks could not be put back: {error.message}"
            self.events.put(Note(name, message))
        else:
            self.events.put(PutBack(name, said, of_this_sweep=True))

    def _fill(self, facts: BoardFacts) -> tuple[dict[int, Case], tuple[tuple[int, Failure], ...]]:
        """The cases by their number, with the board's own files in them, or why not."""
        sent = iter(facts.files)
        cases: dict[int, Case] = {}
        refused: list[tuple[int, Failure]] = []
        for number, case in enumerate(self.plan.cases):
            if case.board_path is None:
                cases[number] = case
                continue
            file = next(sent)
            if file.content is None:
                problem = file.error or "it was not sent"
                refused.append((number, Failure("no_such_file", problem)))
                continue
            try:
                text = decode(file.content, case.source)
                prototxt = prepare(text, case.source, case.batch, case.shapes, self.plan.options)
            except ModelError as error:
                hint = f" ({error.hint})" if error.hint else ""
                refused.append((number, Failure(error.kind, f"{error.message}{hint}")))
            else:
                cases[number] = case.filled(prototxt)
        return cases, tuple(refused)

    def _parcel(self, facts: BoardFacts, cases: dict[int, Case]) -> Parcel:
        options = self.plan.options
        gpu = self.plan.options.gpu_on(self.board)
        caffe = facts.caffe
        if caffe is None:
            message = "it has no Caffe"
            raise NotReadyError(message)
        flags = [] if gpu == "none" else ["-gpu", str(gpu)]
        # A build that does not know the flag runs TRAIN, and that is all it can do.
        if caffe.has_phase is not False:
            flags += ["-phase", options.phase]
        if options.stages:
            flags += ["-stage", ",".join(options.stages)]
        root = caffe.path.removesuffix("/build/tools/caffe")
        return Parcel(
            sweep_id=self.plan.sweep_id,
            holder=self.door.holder,
            settings={
                "SWEEP": self.plan.sweep_id,
                "CAFFE": caffe.path,
                "CAFFE_DIR": root if root != caffe.path else ".",
                "FLAGS": " ".join(flags),
                "GUARD": "1" if options.needs_guard else "0",
                "SUDO": facts.sudo,
                "CLOCKS": "1" if options.clocks else "0",
                "TIMEOUT_S": str(options.timeout_s),
                "DEADLINE_S": "" if options.deadline_s is None else str(options.deadline_s),
                "LOG_BLOCKS": str(LOG_BLOCKS),
                "TELEMETRY": "1" if options.telemetry else "0",
                "REST_S": str(REST_S),
                "COOL_MC": "" if options.cooldown_c is None else f"{options.cooldown_c * 1e3:.0f}",
                "COOL_WAIT_S": str(options.cooldown_wait_s),
                "PRECISION": "" if options.precision is None else f"{options.precision:g}",
                "MIN_REPEATS": str(options.repeats),
            },
            # glog would leave a file in /tmp for each run; it prints the same on stderr.
            environment=(("GLOG_logtostderr", "1"), *self.board.env),
            trials=tuple(self._rows(cases)),
            models=tuple(
                (f"{number}.prototxt", case.prototxt.data())
                for number, case in cases.items()
                if case.prototxt is not None and _first_alike(cases, case) == number
            ),
        )

    def _rows(self, cases: dict[int, Case]) -> Iterator[Row]:
        """The trials for the runner, with the warm-ups before the first of each power mode."""
        options = self.plan.options
        mode = None
        for trial in self.plan.trials:
            if trial.case not in cases:
                continue
            case = cases[trial.case]
            row = Row(
                id=trial.id,
                model=f"{_first_alike(cases, case)}.prototxt",
                iterations=options.iterations,
                mode=case.power_mode,
                case=trial.case,
                repeat=trial.repeat,
            )
            if case.power_mode != mode:
                mode = case.power_mode
                yield from [replace(row, id=0)] * options.warm_ups
            yield row

    def _receive(self, follower: Follower) -> None:
        """Pass on the journal to its end, over as many connections as it takes."""
        events = EventReader()
        options = self.plan.options
        patience_s = options.timeout_s + TRIAL_SLACK_S
        if options.cooldown_c is not None:
            patience_s += options.cooldown_wait_s
        rows = len(self.plan.trials) + options.warm_ups * len(options.power_modes)
        give_up_s = time.monotonic() + patience_s * (rows + 2)
        for _ in range(MAX_FOLLOWS):
            try:
                for data in follower.chunks(
                    patience_s=patience_s,
                    wakeup_s=WAKEUP_S,
                    wakeup=self._wakeup,
                ):
                    self.events.put(
                        JournalBytes(self.board.name, follower.offset - len(data), data)
                    )
                    self.received = follower.offset
                    self._check_bounds(give_up_s)
                    self.guard |= {
                        event.fields["state"]
                        for event in events.feed(data)
                        if event.kind == "guard" and "state" in event.fields
                    }
            except LinkLostError as lost:
                self.events.put(Note(self.board.name, f"{lost.message}; connecting again"))
                self._check_bounds(give_up_s)
                follower = self._persist(self._follow)
                continue
            if follower.size != self.received:
                # The last bytes may come after the board has looked at the clock.
                follower.leave()
                follower = self._persist(self._follow)
                continue
            break
        else:
            message = "its journal does not come to an end"
            raise BoardAnswerError(message)
        receipt = Receipt()
        self.events.put(JournalComplete(self.board.name, self.received, receipt))
        try:
            if receipt.wait(STORE_TIMEOUT_S):
                follower.forget()
                return
        except (LinkLostError, BoardAnswerError):
            pass
        left = f"~/.jetbench/sweeps/{self.plan.sweep_id} is left on the board"
        self.events.put(Note(self.board.name, left))

    def _check_bounds(self, give_up_s: float) -> None:
        """Give a board up that says more, or for longer, than its trials can take."""
        if self.received > MAX_JOURNAL_BYTES:
            message = f"its journal has more than {MAX_JOURNAL_BYTES} bytes; given up"
        elif time.monotonic() > give_up_s:
            message = "it goes on for longer than all of its trials may take; given up"
        else:
            return
        hint = f"look at ~/.jetbench/sweeps/{self.plan.sweep_id} there: what runs, and writes so?"
        raise BoardAnswerError(message, hint=hint)

    def _follow(self, session: Session) -> Follower:
        follower = session.follow(self.plan.sweep_id, self.received)
        if follower is None:
            message = "it knows nothing of this sweep any more"
            raise BoardAnswerError(message, hint="was its home cleaned, or the board replaced?")
        return follower

    def _persist(self, ask: Callable[[Session], T], session: Session | None = None) -> T:
        """Ask the board, and again over new connections while the link breaks."""
        began_s = time.monotonic()
        pause_s = 0.5
        while True:
            try:
                if session is None:
                    self._hang_up()
                    self.link = self.door.connect(self.board)
                    session = Session(self.link)
                return ask(session)
            except (LinkLostError, UnreachableError) as problem:
                session = None
                patience_s = STOPPING_S if self.stop.is_set() else RECONNECT_S
                if time.monotonic() - began_s > patience_s:
                    message = f"{problem.message}; given up after {patience_s:.0f} s"
                    hint = "the board goes on by itself, and puts its power state back"
                    raise LinkLostError(message, hint=hint) from problem
            time.sleep(pause_s * self.jitter.uniform(0.5, 1.5))
            pause_s = min(pause_s * 2, 15.0)

    def _wakeup(self) -> None:
        if self.stop.is_set() and not self.stop_sent and self.link is not None:
            Session(self.link).stop(self.plan.sweep_id)
            self.stop_sent = True

    def _hang_up(self) -> None:
        if self.link is not None:
            self.link.close()
            self.link = None


def _first_alike(cases: dict[int, Case], wanted: Case) -> int:
    """The first case with the same net: it is sent once, for all power modes."""
    return next(number for number, case in cases.items() if case.prototxt == wanted.prototxt)
