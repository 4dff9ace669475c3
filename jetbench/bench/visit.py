"""One board's part in a sweep, in a thread of its own.

Inside it errors are raised; at its border they become the `error` of its `Finished`. It never
writes to a disk or a terminal: whoever consumes the events does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jetbench.analysis.readiness import lacks
from jetbench.bench.contact import FIRST_S, Contact
from jetbench.bench.parcel import in_order, make_parcel
from jetbench.bench.part_so_far import PartSoFar, parts_there
from jetbench.bench.plan import filled
from jetbench.domain.errors import (
    BoardAnswerError,
    BoardError,
    BusyError,
    JetbenchError,
    LinkLostError,
    NotReadyError,
)
from jetbench.domain.events import (
    AtWork,
    Connecting,
    Finished,
    JournalBytes,
    JournalComplete,
    Note,
    Planned,
    PutBack,
    Reached,
    Receipt,
    TakenUp,
)
from jetbench.formats.probe import parse_probe
from jetbench.formats.words import whole
from jetbench.remote.session import Session

if TYPE_CHECKING:
    import queue
    import threading
    from collections.abc import Mapping

    from jetbench.bench.errand import Door, Errand
    from jetbench.domain.board import Board
    from jetbench.domain.events import SweepEvent
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.part import KnownBoard
    from jetbench.domain.plan import Case, Plan
    from jetbench.formats.journal import Event
    from jetbench.remote.parcel import Parcel
    from jetbench.remote.session import Follower

TRIAL_SLACK_S = 60.0
"""Beyond a trial's limit: setting power and clocks, packing the log, putting back."""
STORE_TIMEOUT_S = 120.0
MAX_FOLLOWS = 100
"""How often one journal is asked for, over links that break."""
MAX_MISCOUNTS = 10
"""How often because it has another size than the board says: a lie must not keep us."""
MAX_FAILURES = 3
"""A board that fails so often in a row, with no trial done in between, is given up."""
AGAIN_S = 2.0
"""The pause before a board is tried again, doubled each time."""
WAKEUP_S = 1.0


@dataclass(slots=True)
class Visit:
    """One board's part in a sweep."""

    plan: Plan
    board: Board
    door: Door
    stop: threading.Event
    events: queue.Queue[SweepEvent]
    errand: Errand
    left: bool = False
    """Whether the board measures and nobody is to wait for it."""
    part: PartSoFar = field(default_factory=lambda: PartSoFar(0, 0))
    last: int = 0
    """The highest number that a part has, here or on the board."""
    settled: set[int] = field(default_factory=set)
    """The trials that need not be run again."""
    begun: set[int] = field(default_factory=set)
    nets: Mapping[int, bytes] = field(default_factory=dict)
    """The board's own nets that were run in an earlier part, by the case's number."""
    cases: dict[int, Case] = field(default_factory=dict)
    """Those that can be run there, by number."""
    waited_for: str = ""
    began_s: float = field(default_factory=time.monotonic)
    contact: Contact = field(init=False)
    stop_sent: bool = False

    def __post_init__(self) -> None:
        """Nothing is connected yet."""
        self.contact = Contact(self.board, self.door.connect, self.stop)

    def run(self) -> None:
        """Do all of it; the last event is `Finished`."""
        error: BoardError | None = None
        try:
            self._visit()
        except BoardError as problem:
            error = problem
        except JetbenchError as problem:
            error = BoardError(problem.message, hint=problem.hint)
        except Exception as problem:  # noqa: BLE001 - a board's border: the others go on
            error = BoardError(f"jetbench itself failed: {type(problem).__name__}: {problem}")
        finally:
            self.contact.hang_up()
            self.events.put(Finished(self.board.name, error))

    def _visit(self) -> None:
        known = self.errand.known.get(self.board.name)
        if known is not None:
            self._recall(known)
        self.events.put(Connecting(self.board.name))
        self.contact.connect()
        if known is not None:
            self._catch_up(known)
        if self.errand.measure and not self.left:
            self._measure()

    def _recall(self, known: KnownBoard) -> None:
        """Tell what is here of the board already, before it is asked for more."""
        self.settled |= known.settled
        self.begun |= known.begun
        self.nets = known.models
        self.last = max(known.sizes, default=0)
        self.part = PartSoFar(self.last, self.last)
        if known.probe is not None:
            facts = parse_probe(known.probe)
            self.events.put(Reached(self.board.name, facts, known.probe))
            cases, refused = filled(self.plan, known.models, {})
            self.events.put(Planned(self.board.name, tuple(cases.items()), refused))
        self.events.put(TakenUp(self.board.name, known.settled))

    def _catch_up(self, known: KnownBoard) -> None:
        """Fetch what the board keeps of the sweep, and follow what still runs there."""
        name = self.board.name
        parts = [
            part
            for part in self.contact.persist(Session.status).parts
            if part.sweep_id == self.plan.sweep_id and part.board in {None, name}
        ]
        kept = False
        for self.part in parts_there(known, parts):
            self.last = max(self.last, self.part.number, self.part.there)
            # Another host, which has fetched it, may just have had it deleted.
            if follower := self.contact.persist(self._follow_if_there):
                kept = True
                self._receive(follower)
            if self.left:
                return
        if not kept and not self.errand.measure:
            if in_order(self.plan, dict(enumerate(self.plan.cases)), self.settled, set()):
                message = "it keeps nothing of this sweep any more"
                hint = f"measure what is missing: jetbench run --resume {self.plan.sweep_id}"
                raise BoardAnswerError(message, hint=hint)
            return
        now = self.contact.persist(Session.status)
        if self.errand.forget and now.left_behind and now.held_by is None:
            facts = None if known.probe is None else parse_probe(known.probe)
            self._put_back(self._password(facts) if facts else None)

    def _measure(self) -> None:
        """Measure what was not measured yet; where that is cut off, the rest of it."""
        name = self.board.name
        failures = 0
        while True:
            settled = len(self.settled)
            if not self._measure_part() or self.left:
                return
            why = self.part.broken
            missing = len(in_order(self.plan, self.cases, self.settled, self.begun))
            if why is None or self.stop.is_set() or not missing:
                return
            failures = failures + 1 if len(self.settled) == settled else 1
            if failures == MAX_FAILURES:
                message = f"given up after it has failed {failures} times in a row: {why}"
                raise BoardError(message, hint="look after the board, then run --resume")
            trials = "the trial that is" if missing == 1 else f"the {missing} trials that are"
            self.events.put(Note(name, f"{why}; measuring {trials} left"))
            self.stop.wait(AGAIN_S * 2 ** (failures - 1) * self.contact.jitter.uniform(0.5, 1.5))

    def _measure_part(self) -> bool:
        """Measure what is left, as one more part; False where there is nothing to be done."""
        name, options = self.board.name, self.plan.options
        # A board that cannot even say what it is, is not waited for, unless it once could.
        patience_s = None if self.part.number else FIRST_S
        facts, answer = self.contact.persist(self._probe, patience_s)
        if facts.left_behind and facts.held_by is None and not options.needs_guard:
            # A guard would put it back; without one it is to be done before anything is read.
            said = self.contact.persist(
                lambda session: session.restore(password=self._password(facts))
            )
            self.events.put(PutBack(name, said, of_this_sweep=False))
            facts, answer = self.contact.persist(self._probe)
        self.events.put(Reached(name, facts, answer))
        problems = [
            lack for lack in lacks(facts, options, options.gpu_on(self.board)) if lack.stops
        ]
        if problems:
            message = "; ".join(lack.message for lack in problems)
            raise NotReadyError(message, hint="; ".join(lack.advice for lack in problems))
        numbers = [number for number, _ in self._on_board()]
        sent = dict(zip(numbers, facts.files, strict=True))
        self.cases, refused = filled(self.plan, self.nets, sent)
        self.events.put(Planned(name, tuple(self.cases.items()), refused))
        trials = in_order(self.plan, self.cases, self.settled, self.begun)
        if not trials or self.stop.is_set():
            return False
        password = self._password(facts) if options.needs_guard else None
        elapsed_s = int(time.monotonic() - self.began_s)
        parcel = make_parcel(
            self.plan,
            self.board,
            facts=facts,
            probe=answer,
            cases=self.cases,
            trials=trials,
            part=self.last + 1,
            holder=self.door.holder,
            deadline_s=options.deadline_s and max(options.deadline_s - elapsed_s, 1),
        )
        self.last = parcel.part
        self.part = PartSoFar(parcel.part, parcel.part)
        self._receive(self.contact.persist(lambda session: self._start(session, parcel, password)))
        if not self.left and self.part.left_behind:
            # It was killed, or the board went down and has come back.
            self._put_back(password)
        return True

    def _start(self, session: Session, parcel: Parcel, password: str | None) -> Follower:
        left_s = self.errand.wait_s - (time.monotonic() - self.began_s)
        return session.start(
            parcel,
            password=password,
            wait_s=max(int(left_s), 0),
            waiting=self._waiting,
        )

    def _waiting(self, who: str) -> None:
        """Somebody else measures on the board, and we wait in line."""
        if self.stop.is_set():
            raise BusyError(who)
        if who != self.waited_for:
            self.waited_for = who
            self.events.put(Note(self.board.name, f"{who}; waiting in line", "waiting in line"))

    def _probe(self, session: Session) -> tuple[BoardFacts, bytes]:
        return session.probe(
            caffe=self.board.caffe,
            caffe_root=self.board.caffe_root,
            gpu=str(self.plan.options.gpu_on(self.board)),
            paths=tuple(path for _, path in self._on_board()),
        )

    def _password(self, facts: BoardFacts) -> str | None:
        """The sudo password, where the board wants one."""
        return self.door.password(self.board) if facts.sudo == "password" else None

    def _put_back(self, password: str | None) -> None:
        """Do what the guard of this sweep could not."""
        name = self.board.name
        try:
            said = self.contact.persist(lambda session: session.restore(password=password))
        except BoardError as error:
            message = (
                f"power mode and clocks could not be put back: {error.message}; mend that, then "
                f"`jetbench boards restore {name}`"
            )
            self.events.put(Note(name, message))
        else:
            self.events.put(PutBack(name, said, of_this_sweep=True, part=self.part.number))

    def _on_board(self) -> list[tuple[int, str]]:
        """The cases whose nets are to be fetched from the board: their numbers, and the paths."""
        return [
            (number, case.board_path)
            for number, case in enumerate(self.plan.cases)
            if case.board_path is not None and number not in self.nets
        ]

    def _receive(self, follower: Follower) -> None:
        """Pass on the journal of a part to its end, over as many connections as it takes."""
        name, part = self.board.name, self.part
        options = self.plan.options
        patience_s = options.timeout_s + TRIAL_SLACK_S
        if options.cooldown_c is not None:
            patience_s += options.cooldown_wait_s
        rows = len(self.plan.trials) + options.warm_ups * len(options.power_modes)
        give_up_s = time.monotonic() + patience_s * (rows + 2)
        miscounts = 0
        for _ in range(MAX_FOLLOWS):
            try:
                for data in follower.chunks(
                    patience_s=patience_s, wakeup_s=WAKEUP_S, wakeup=self._wakeup
                ):
                    self._take(data, follower.offset)
                    part.check_bounds(self.plan.sweep_id, give_up_s)
                    if self.left:
                        return
            except LinkLostError as lost:
                self.contact.lost()
                self.events.put(Note(name, f"{lost.message}; connecting again"))
                part.check_bounds(self.plan.sweep_id, give_up_s)
                follower = self.contact.persist(self._follow)
                continue
            if follower.size != part.received and miscounts < MAX_MISCOUNTS:
                miscounts += 1
                # The last bytes may come after the board has looked at the clock.
                follower.leave()
                # Over a new connection: whoever miscounts may not have heard that.
                self.contact.lost()
                follower = self.contact.persist(self._follow)
                continue
            break
        if follower.size != part.received:
            message = "its journal does not come to an end"
            raise BoardAnswerError(message)
        self._settle(follower)

    def _settle(self, follower: Follower) -> None:
        """Have the journal stored here, and then deleted on the board."""
        name, part = self.board.name, self.part
        receipt = Receipt()
        self.events.put(JournalComplete(name, part.received, receipt, part.number))
        stored = receipt.wait(STORE_TIMEOUT_S)
        try:
            if not self.errand.forget:
                follower.leave()
                return
            if stored:
                self._forget(follower)
                return
        except BoardError:
            self.contact.lost()
        key = part.key(self.plan.sweep_id)
        self.events.put(Note(name, f"~/.jetbench/sweeps/{key} is left on the board"))

    def _forget(self, follower: Follower) -> None:
        """Have the board delete what is safe here, over as many connections as it takes."""
        try:
            follower.forget()
        except LinkLostError:
            self.contact.lost()
            key, size = self.part.key(self.plan.sweep_id), self.part.received
            self.contact.persist(lambda session: session.forget(key, size))

    def _take(self, data: bytes, end: int) -> None:
        """Pass on a piece of the journal, which ends at that offset."""
        name, part = self.board.name, self.part
        self.events.put(JournalBytes(name, end - len(data), data, part.number))
        part.received = end
        for event in part.events.feed(data):
            self._note(event)
        if self.errand.detach and part.at_work:
            self.left = True
            self.events.put(AtWork(name))

    def _note(self, event: Event) -> None:
        """Take up what an event of the journal tells."""
        match event.kind:
            case "guard" if "state" in event.fields:
                self.part.guard.add(event.fields["state"])
            case "trial":
                self.part.at_work = True
                self.begun.add(whole(event.fields.get("id")) or 0)
            case "done" if "stop" not in event.fields:
                self.settled.add(whole(event.fields.get("id")) or 0)
            case "skip":
                self.settled.add(whole(event.fields.get("id")) or 0)
            case "end":
                self.part.end = event.fields.get("reason", "")

    def _follow_if_there(self, session: Session) -> Follower | None:
        return session.follow(self.part.key(self.plan.sweep_id), self.part.received)

    def _follow(self, session: Session) -> Follower:
        follower = self._follow_if_there(session)
        if follower is None:
            message = "it knows nothing of this sweep any more"
            raise BoardAnswerError(message, hint="was its home cleaned, or the board replaced?")
        return follower

    def _wakeup(self) -> None:
        if self.stop.is_set() and not self.stop_sent:
            # A runner that has only just been started cannot be told yet.
            self.stop_sent = self.contact.stop(self.plan.sweep_id)
