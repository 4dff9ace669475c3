"""A sweep while it runs: what each board does, as values and as lines of text.

Nothing here prints or looks at a clock: the terminal's door does both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
from jetbench.formats.journal import EventReader
from jetbench.formats.words import printable, seconds, whole

if TYPE_CHECKING:
    from jetbench.domain.events import SweepEvent
    from jetbench.domain.plan import Plan, Trial
    from jetbench.formats.journal import Event

_MAX_LINES = 100
_MAX_LINES_A_TRIAL = 10
"""More than any board has to say of its trials, and few enough to read."""


@dataclass(slots=True)
class BoardProgress:
    """What one board does now."""

    name: str
    total: int
    settled: set[int] = field(default_factory=set)
    """The ids of the trials that are over."""
    failed: int = 0
    doing: str = "waiting"
    temp_c: float | None = None
    finished: bool = False
    problem: str | None = None
    trial_began_s: float | None = None
    """By the clock of this machine; when the display was told, which may be much later."""
    trial_up_s: float | None = None
    """By the board's uptime."""
    seconds: list[float] = field(default_factory=list)
    """How long each trial has taken, by the board's uptime."""
    lines_left: int = 0
    """How much more its journal may put on a terminal."""
    reader: EventReader = field(default_factory=EventReader)
    part: int = 1
    left: bool = False
    """Whether it measures on, with nobody to follow."""

    @property
    def done(self) -> int:
        """How many trials are over."""
        return len(self.settled)

    def left_s(self, now_s: float) -> float | None:
        """Seconds until its last trial ends, from the mean of those that have ended."""
        if not self.seconds or self.finished:
            return None
        mean_s = sum(self.seconds) / len(self.seconds)
        running_s = now_s - self.trial_began_s if self.trial_began_s is not None else 0.0
        return max(mean_s * (self.total - self.done) - min(running_s, mean_s), 0.0)


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

    def take(self, event: SweepEvent, now_s: float) -> list[str]:  # noqa: PLR0911 - one a kind
        """Note what happened, and put it into words: no line, one, or several."""
        board = self.boards[event.board]
        match event:
            case Connecting():
                board.doing = "connecting"
                return []
            case Reached():
                facts = event.facts
                board.doing = "preparing"
                board.temp_c = facts.conditions.gpu_temp_c
                what = facts.hardware or "a board that is no Jetson"
                l4t = f", L4T {facts.l4t}" if facts.l4t else ""
                return [f"{board.name}: reached, {printable(what)}{printable(l4t)}"]
            case Planned():
                refused = {number for number, _ in event.refused}
                board.total = sum(trial.case not in refused for trial in self._plan.trials)
                return [
                    f"{board.name}: {printable(self._plan.cases[number].model)} refused: "
                    f"{printable(failure.message)}"
                    for number, failure in event.refused
                ]
            case JournalBytes():
                if event.part != board.part:
                    board.part, board.reader = event.part, EventReader()
                lines = (self._journal(board, e, now_s) for e in board.reader.feed(event.data))
                return _few(board, [line for line in lines if line])
            case JournalComplete():
                board.doing = "finishing"
                return []
            case Finished():
                return _finished(board, event)
            case _:
                return _told(board, event)

    def _journal(self, board: BoardProgress, event: Event, now_s: float) -> str | None:
        """One event of a board's journal."""
        temperature_mc = whole(event.fields.get("gpu_temp_mc"))
        if temperature_mc is not None:
            board.temp_c = temperature_mc / 1000
        match event.kind:
            case "guard":
                return _guard(board, event)
            case "trial":
                board.trial_began_s = now_s
                board.trial_up_s = seconds(event.fields.get("up"))
                board.doing = "warming up" if _warm_up(event) else self._trial_name(event)
            case "done" if _warm_up(event):
                board.trial_began_s = None
            case "done":
                return self._done(board, event)
            case "skip":
                self._ends(board, event)
            case _:
                return _between(board, event)
        return None

    def _done(self, board: BoardProgress, event: Event) -> str | None:
        if "stop" in event.fields:
            return f"{board.name}: {self._trial_name(event)}: ended"
        if not self._ends(board, event):
            return None
        took = ""
        up_s, board.trial_began_s = seconds(event.fields.get("up")), None
        if board.trial_up_s is not None and up_s is not None and up_s >= board.trial_up_s:
            board.seconds.append(up_s - board.trial_up_s)
            took = f" in {board.seconds[-1]:.1f} s"
        code = event.fields.get("exit", "?")
        line = f"{board.name}: {board.done}/{board.total} {self._trial_name(event)}"
        if code == "0":
            return f"{line}: done{took}"
        board.failed += 1
        return f"{line}: failed with exit status {printable(code, 20)}{took}"

    def _ends(self, board: BoardProgress, event: Event) -> bool:
        """Whether a trial of the plan is over that was not before."""
        trial = self._find(event)
        if trial is None or trial.id in board.settled:
            return False
        board.settled.add(trial.id)
        return True

    def _trial_name(self, event: Event) -> str:
        trial = self._find(event)
        if trial is None:
            return "a trial"
        case = self._plan.cases[trial.case]
        batch = f" batch {case.batch}" if len(self._plan.options.batches) > 1 else ""
        return f"{printable(case.model, 32)}{batch}, {trial.repeat} of {self._plan.options.rounds}"

    def _find(self, event: Event) -> Trial | None:
        number = whole(event.fields.get("id"))
        return None if number is None else self._trials.get(number)


def _told(board: BoardProgress, event: SweepEvent) -> list[str]:
    """What is told in one line."""
    match event:
        case TakenUp():
            board.settled |= event.settled
            line = f"{len(event.settled)} of {board.total} trials are here already"
        case AtWork():
            board.doing = line = "measures by itself"
            board.left = True
        case PutBack():
            line = "the power state that was left behind was dealt with"
        case Note():
            line = printable(event.message)
        case _:
            return []
    return [f"{board.name}: {line}"]


def _finished(board: BoardProgress, event: Finished) -> list[str]:
    board.finished = True
    board.trial_began_s = None
    if event.error is not None:
        board.problem = board.doing = printable(event.error.message)
        return [f"{board.name}: {board.problem}"]
    if board.left:
        return []
    board.doing = board.problem or "done"
    return [] if board.problem else [f"{board.name}: done"]


def _few(board: BoardProgress, lines: list[str]) -> list[str]:
    """No more lines than an honest board has to say; then, once, that there are more."""
    if len(lines) <= board.lines_left:
        board.lines_left -= len(lines)
        return lines
    shown = lines[: max(board.lines_left, 0)]
    if board.lines_left >= 0:
        shown.append(f"{board.name}: says more than a sweep has to say; see its journal")
    board.lines_left = -1
    return shown


def _warm_up(event: Event) -> bool:
    """Whether it is of a trial that counts for nothing."""
    return whole(event.fields.get("id")) == 0


def _guard(board: BoardProgress, event: Event) -> str | None:
    """What the guard of power mode and clocks says."""
    if "reason" in event.fields:
        board.problem = printable(event.fields["reason"])
        return f"{board.name}: {board.problem}"
    match event.fields.get("state"):
        case "ready":
            board.doing = "power and clocks set"
            mode = printable(event.fields.get("mode", ""), 20)
            return f"{board.name}: power mode and clocks set{mode and f', mode {mode}'}"
        case "waiting":
            board.doing = "waiting for its start-up to end"
            return f"{board.name}: {board.doing}"
    return None


def _between(board: BoardProgress, event: Event) -> str | None:
    """What happens between the trials, and after the last."""
    match event.kind:
        case "rest":
            board.doing = "reading its power at rest"
        case "cooling":
            limit_mc = whole(event.fields.get("limit_mc")) or 0
            now = "" if board.temp_c is None else f" from {board.temp_c:.0f} °C"
            board.doing = f"cooling down to {limit_mc / 1000:.0f} °C"
            return f"{board.name}: {board.doing}{now}"
        case "end":
            board.doing = "putting power and clocks back"
            board.trial_began_s = None
            reason = event.fields.get("reason", "")
            if board.problem is None and reason not in {"finished", "stopped"}:
                board.problem = f"the sweep ended early: {printable(reason)}"
                return f"{board.name}: {board.problem}"
    return None
