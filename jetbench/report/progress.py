"""A sweep while it runs: what each board does, as values and as lines of text.

Nothing here prints or looks at a clock: the terminal's door does both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

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
    TakenUp,
)
from jetbench.formats.journal import EventReader, sample_of
from jetbench.formats.words import printable, seconds, whole
from jetbench.report.pace import Mean, Pace

if TYPE_CHECKING:
    from jetbench.domain.events import SweepEvent
    from jetbench.domain.plan import Plan, Trial
    from jetbench.formats.journal import Event

_MAX_LINES = 100
_MAX_LINES_A_TRIAL = 10
"""More than any board has to say of its trials, and few enough to read."""
_AT_WORK = 0.5
"""The least load of a GPU whose clock says something of the trial."""


@dataclass(frozen=True, slots=True)
class Line:
    """What has happened, in words."""

    text: str
    matters: bool = False
    """Whether those who see a line for each board are told, too."""


class Stage(IntEnum):
    """What a board is busy with, in the order in which that matters to those who look on."""

    TROUBLE = 0
    RUNNING = 1
    WAITING = 2
    OVER = 3


@dataclass(slots=True)
class BoardProgress:
    """What one board does now."""

    name: str
    total: int
    settled: set[int] = field(default_factory=set)
    """The ids of the trials that are over."""
    failed: int = 0
    doing: str = "waiting"
    """In a few words; or the model of the trial that runs."""
    repeat: str = ""
    """Which of its trials that is: ``2/3``."""
    temp_c: float | None = None
    gpu_mhz: float | None = None
    """Of the GPU at work, once that was heard; until then as it was before."""
    began: bool = False
    """Whether its journal has said anything."""
    finished: bool = False
    problem: str | None = None
    trial_began_s: float | None = None
    """By the clock of this machine; when the display was told, which may be much later."""
    pace: Pace = field(default_factory=Pace)
    refused: frozenset[int] = frozenset()
    """The cases that cannot be run there."""
    told: set[int] = field(default_factory=set)
    """The cases that have failed, and whose first failure was told."""
    lines_left: int = 0
    """How much more its journal may put on a terminal."""
    reader: EventReader = field(default_factory=lambda: EventReader(telemetry=True))
    part: int = 1
    left: bool = False
    """Whether it measures on, with nobody to follow."""
    _seen_at_work: bool = False

    @property
    def done(self) -> int:
        """How many trials are over."""
        return len(self.settled)

    @property
    def stage(self) -> Stage:
        """Where its line stands. It changes a few times in a sweep, not with every trial."""
        if self.problem is not None or self.failed:
            return Stage.TROUBLE
        if self.finished:
            return Stage.OVER
        return Stage.RUNNING if self.began else Stage.WAITING

    def does(self, what: str, repeat: str = "") -> None:
        """What it does from now on."""
        self.doing, self.repeat = what, repeat

    def clock(self, gpu_mhz: float | None, *, at_work: bool) -> None:
        """Note a clock. That of a GPU at rest says nothing of the trials."""
        if gpu_mhz is not None and (at_work or not self._seen_at_work):
            self.gpu_mhz, self._seen_at_work = gpu_mhz, at_work

    def new_clocks(self) -> None:
        """Forget the clock: power mode or clocks were set."""
        self.gpu_mhz, self._seen_at_work = None, False

    def new_part(self, part: int) -> None:
        """It measures what is left: what has ended the part before is over."""
        self.part, self.reader = part, EventReader(telemetry=True)
        self.problem = None
        self.new_clocks()

    def left_s(self, now_s: float) -> float | None:
        """Seconds until its last trial ends, by those that have ended."""
        if self.finished:
            return None
        return self.pace.left_s(0.0 if self.trial_began_s is None else now_s - self.trial_began_s)


class Progress:
    """All boards of a sweep."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._trials = {trial.id: trial for trial in plan.trials}
        self.boards = {
            board.name: BoardProgress(
                board.name,
                len(plan.trials),
                lines_left=_MAX_LINES + _MAX_LINES_A_TRIAL * len(plan.trials),
            )
            for board in plan.boards
        }

    def left_s(self, now_s: float) -> float | None:
        """Seconds until the last board has ended, where that can be told.

        A board that has ended no trial yet is taken to be as fast as the others.
        """
        usual = Mean()
        for board in self.boards.values():
            if board.pace.trials.count:
                usual.add(board.pace.trials.value)
        if not usual.count:
            return None
        longest_s = 0.0
        for board in self.boards.values():
            if not board.finished:
                own_s = board.left_s(now_s)
                guessed_s = usual.value * (board.total - board.done)
                longest_s = max(longest_s, guessed_s if own_s is None else own_s)
        return longest_s

    def take(self, event: SweepEvent, now_s: float) -> list[Line]:  # noqa: PLR0911 - one a kind
        """Note what happened, and put it into words: no line, one, or several."""
        board = self.boards[event.board]
        match event:
            case Connecting():
                board.does("connecting")
                return []
            case Reached():
                facts = event.facts
                board.does("preparing")
                board.temp_c = facts.conditions.gpu_temp_c
                board.clock(facts.conditions.gpu_mhz, at_work=False)
                what = facts.hardware or "a board that is no Jetson"
                l4t = f", L4T {facts.l4t}" if facts.l4t else ""
                return [Line(f"{board.name}: reached, {printable(what)}{printable(l4t)}")]
            case Planned():
                board.refused = frozenset(number for number, _ in event.refused)
                board.total = sum(t.case not in board.refused for t in self._plan.trials)
                return [
                    Line(
                        f"{board.name}: {printable(self._plan.cases[number].model)} refused: "
                        f"{printable(failure.message)}",
                        matters=True,
                    )
                    for number, failure in event.refused
                ]
            case JournalBytes():
                if event.part != board.part:
                    board.new_part(event.part)
                lines = (self._journal(board, e, now_s) for e in board.reader.feed(event.data))
                return _few(board, [line for line in lines if line])
            case JournalComplete():
                board.does("finishing")
                return []
            case Finished():
                return _finished(board, event)
            case _:
                return _told(board, event)

    def _journal(self, board: BoardProgress, event: Event, now_s: float) -> Line | None:
        """One event of a board's journal."""
        board.began = True
        _sensors(board, event)
        match event.kind:
            case "guard":
                return _guard(board, event)
            case "trial":
                self._begins(board, event, now_s)
            case "done" if _warm_up(event):
                board.trial_began_s = None
                board.pace.ends(seconds(event.fields.get("up")))
            case "done":
                return self._done(board, event)
            case "skip":
                self._ends(board, event)
            case _:
                return _between(board, event)
        return None

    def _begins(self, board: BoardProgress, event: Event, now_s: float) -> None:
        board.trial_began_s = now_s
        trial = self._find(event)
        board.pace.begins(trial.case if trial else None, seconds(event.fields.get("up")))
        if _warm_up(event):
            board.does("warming up")
        elif trial is None:
            board.does("a trial")
        else:
            board.does(self._case_name(trial), f"{trial.repeat}/{self._plan.options.rounds}")

    def _done(self, board: BoardProgress, event: Event) -> Line | None:
        if "stop" in event.fields:
            return Line(f"{board.name}: {self._trial_name(event)}: ended")
        up_s, board.trial_began_s = seconds(event.fields.get("up")), None
        trial = self._find(event)
        if trial is None or trial.id in board.settled:
            board.pace.ends(up_s)
            return None
        took_s = board.pace.took(trial.case, up_s)
        self._ends(board, event)
        took = "" if took_s is None else f" in {took_s:.1f} s"
        code = event.fields.get("exit", "?")
        line = f"{board.name}: {board.done}/{board.total} {self._trial_name(event)}"
        if code == "0":
            return Line(f"{line}: done{took}")
        board.failed += 1
        first = trial.case not in board.told
        board.told.add(trial.case)
        text = f"{line}: failed with exit status {printable(code, 20)}{took}"
        return Line(text, matters=first)

    def _ends(self, board: BoardProgress, event: Event) -> None:
        """Settle a trial of the plan that is over."""
        trial = self._find(event)
        if trial is not None and trial.id not in board.settled:
            board.settled.add(trial.id)
            board.pace.goes_on(
                [
                    each.case
                    for each in self._plan.trials
                    if each.id not in board.settled and each.case not in board.refused
                ]
            )

    def _trial_name(self, event: Event) -> str:
        trial = self._find(event)
        if trial is None:
            return "a trial"
        return f"{self._case_name(trial)}, {trial.repeat} of {self._plan.options.rounds}"

    def _case_name(self, trial: Trial) -> str:
        case = self._plan.cases[trial.case]
        batch = f" batch {case.batch}" if len(self._plan.options.batches) > 1 else ""
        return f"{printable(case.model, 32)}{batch}"

    def _find(self, event: Event) -> Trial | None:
        number = whole(event.fields.get("id"))
        return None if number is None else self._trials.get(number)


def _sensors(board: BoardProgress, event: Event) -> None:
    """What an event says of temperature and clock."""
    if event.kind == "guard" and event.fields.get("state") == "ready":
        board.new_clocks()
    temperature_mc, gpu_hz = (whole(event.fields.get(k)) for k in ("gpu_temp_mc", "gpu_cur_hz"))
    if temperature_mc is not None:
        board.temp_c = temperature_mc / 1000
    if gpu_hz is not None and gpu_hz > 0:
        board.clock(gpu_hz / 1e6, at_work=False)
    sample = sample_of(event)
    if sample is not None:
        board.temp_c = board.temp_c if sample.gpu_temp_c is None else sample.gpu_temp_c
        at_work = sample.gpu_load is not None and sample.gpu_load >= _AT_WORK
        board.clock(sample.gpu_mhz, at_work=at_work)


def _told(board: BoardProgress, event: SweepEvent) -> list[Line]:
    """What is told in one line."""
    match event:
        case TakenUp():
            board.settled |= event.settled
            line = f"{len(event.settled)} of {board.total} trials are here already"
        case AtWork():
            line = "measures by itself"
            board.does(line)
            board.left = True
        case PutBack():
            line = "the power state that was left behind was dealt with"
        case Note():
            line = printable(event.message)
            if event.doing:
                board.does(event.doing)
        case _:
            return []
    return [Line(f"{board.name}: {line}", matters=isinstance(event, Note))]


def _finished(board: BoardProgress, event: Finished) -> list[Line]:
    board.finished = True
    board.trial_began_s = None
    if event.error is not None:
        board.problem = printable(event.error.message)
        return [Line(f"{board.name}: {board.problem}", matters=True)]
    if board.left:
        return []
    board.does("done")
    return [] if board.problem else [Line(f"{board.name}: done")]


def _few(board: BoardProgress, lines: list[Line]) -> list[Line]:
    """No more lines than an honest board has to say; then, once, that there are more."""
    if len(lines) <= board.lines_left:
        board.lines_left -= len(lines)
        return lines
    shown = lines[: max(board.lines_left, 0)]
    if board.lines_left >= 0:
        more = f"{board.name}: says more than a sweep has to say; see its journal"
        shown.append(Line(more, matters=True))
    board.lines_left = -1
    return shown


def _warm_up(event: Event) -> bool:
    """Whether it is of a trial that counts for nothing."""
    return whole(event.fields.get("id")) == 0


def _guard(board: BoardProgress, event: Event) -> Line | None:
    """What the guard of power mode and clocks says."""
    if "reason" in event.fields:
        board.problem = printable(event.fields["reason"])
        return Line(f"{board.name}: {board.problem}", matters=True)
    match event.fields.get("state"):
        case "ready":
            board.does("power and clocks set")
            mode = printable(event.fields.get("mode", ""), 20)
            return Line(f"{board.name}: power mode and clocks set{mode and f', mode {mode}'}")
        case "waiting":
            board.does("waiting for its start-up to end")
            return Line(f"{board.name}: {board.doing}")
    return None


def _between(board: BoardProgress, event: Event) -> Line | None:
    """What happens between the trials, and after the last."""
    match event.kind:
        case "rest":
            board.does("reading its power at rest")
        case "cooling":
            limit_mc = whole(event.fields.get("limit_mc")) or 0
            now = "" if board.temp_c is None else f" from {board.temp_c:.0f} °C"
            board.does(f"cooling down to {limit_mc / 1000:.0f} °C")
            return Line(f"{board.name}: {board.doing}{now}")
        case "end":
            board.does("putting power and clocks back")
            board.trial_began_s = None
            reason = event.fields.get("reason", "")
            if board.problem is None and reason not in {"finished", "stopped"}:
                board.problem = f"the sweep ended early: {printable(reason)}"
                return Line(f"{board.name}: {board.problem}", matters=True)
    return None
