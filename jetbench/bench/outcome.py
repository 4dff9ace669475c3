"""How a board's part in a sweep went: what its events told, and why something is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jetbench.domain.events import (
    AtWork,
    Finished,
    JournalComplete,
    Note,
    Planned,
    Reached,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jetbench.bench.guard import Guard
    from jetbench.domain.board import Board
    from jetbench.domain.errors import BoardError
    from jetbench.domain.events import SweepEvent
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.plan import Case
    from jetbench.domain.timing import Failure, FailureKind
    from jetbench.formats.journal import JournalReader


@dataclass(slots=True)
class BoardOutcome:
    """What is known of a board at the end of a sweep, as its events have told it."""

    board: Board
    facts: BoardFacts | None = None
    cases: Mapping[int, Case] = field(default_factory=dict)
    """The cases that were run there, with the board's own files filled in."""
    refused: tuple[tuple[int, Failure], ...] = ()
    complete: bool = False
    """Whether the journal is here to its end."""
    at_work: bool = False
    """Whether it measures on, with nobody to follow."""
    error: BoardError | None = None
    notes: tuple[str, ...] = ()

    def learn(self, event: SweepEvent) -> None:
        """Take up what an event of this board tells."""
        match event:
            case Reached():
                self.facts = event.facts
            case Planned():
                self.cases = dict(event.cases)
                self.refused = event.refused
            case JournalComplete():
                self.complete = True
            case AtWork():
                self.at_work = True
            case Note():
                self.notes = (*self.notes, event.message)
            case Finished():
                self.error = event.error
            case _:
                pass


_AS_IT_IS = "measure the board as it is, with --power-mode keep --no-clocks"


_ENDS = {
    "no-space": "the board's disk is full",
    "hangs": "given up: three trials in a row did not end in time",
    "guard-gone": "the guard of its power state died, so measuring was ended",
    "terminated": "its runner was told to end, as when the board goes down",
}


class Reasons:
    """Why a trial that never ran has no number."""

    def __init__(self, outcome: BoardOutcome, guard: Guard, reader: JournalReader) -> None:
        end = _last_end(reader)
        # The last: after a wrong password sudo first misses another one, then counts.
        noise = next((line for line in reversed(reader.noise) if _refuses(line)), None)
        self.kind: FailureKind = "truncated"
        self.of_board: str | None = None
        """What the whole board suffers from."""
        self.hint: str | None = None
        if guard.failure is not None and not guard.proved:
            self.message = f"power mode and clocks could not be set: {guard.failure}"
            self.of_board, self.hint = self.message, _AS_IT_IS
        elif end in {"guard-failed", "guard-timeout"}:
            why = guard.failure or noise or end
            self.message = f"power mode and clocks could not be set: {why}"
            self.of_board = self.message
            self.hint = f"mend sudo there, or `sudo:` in the inventory; or {_AS_IT_IS}"
        elif end == "stopped":
            self.kind, self.message = "interrupted", "the sweep was stopped before it ran"
        elif end == "deadline":
            self.kind, self.message = "timeout", "the sweep's --deadline passed before it ran"
        elif end in _ENDS:
            self.message = self.of_board = _ENDS[end]
        elif outcome.error is not None:
            self.message = outcome.error.message
        elif not outcome.complete:
            self.kind, self.message = "interrupted", "the sweep was stopped before it ran"
        elif end is None:
            self.message = reader.overflow or _broken_off(guard)
        else:
            self.message = "the board ended the sweep before it ran"
        self.cuts_off = outcome.complete and end in {None, "no-space"}
        """Whether it is also why a trial that had begun has no end."""


def _last_end(reader: JournalReader) -> str | None:
    """The reason that the last part ends with: what an earlier one was cut off by is made good."""
    end = None
    for event in reader.events:
        if event.kind in {"start", "end"}:
            end = event.fields.get("reason")
    return end


def _refuses(line: str) -> bool:
    """Whether these are sudo's words for why it did not run the guard.

    That a board cannot resolve its own name sudo says on many a TX2, and goes on.
    """
    if "unable to resolve host" in line:
        return False
    return "sudo" in line or line.startswith("Sorry, user ")


def _broken_off(guard: Guard) -> str:
    """Why a whole journal has no last word: only what no program can answer does that.

    A guard outlives its runner, but not the board: then a later one puts the power state back.
    """
    killed = "the runner on the board was killed"
    return killed if guard.outlived else f"the board went down, or {killed}"
