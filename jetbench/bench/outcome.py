"""How a board's part in a sweep went: what its events told, and why something is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jetbench.domain.events import Finished, JournalComplete, Note, Planned, PutBack, Reached

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
    error: BoardError | None = None
    notes: tuple[str, ...] = ()
    put_back: bytes = b""
    """What a later guard said that put back what this sweep's could not."""

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
            case PutBack() if event.of_this_sweep:
                self.put_back = event.said
            case Note():
                self.notes = (*self.notes, event.message)
            case Finished():
                self.error = event.error
            case _:
                pass


_AS_IT_IS = "measure the board as it is, with --power-mode keep --no-clocks"


class Reasons:
    """Why a trial that never ran has no number."""

    def __init__(self, outcome: BoardOutcome, guard: Guard, reader: JournalReader) -> None:
        end = next((e.fields.get("reason") for e in reader.events if e.kind == "end"), None)
        noise = next((line for line in reader.noise if "sudo" in line), None)
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
        elif end == "no-space":
            self.message = self.of_board = "the board's disk is full"
        elif end == "guard-gone":
            self.message = "the guard of its power state died, so measuring was ended"
            self.of_board = self.message
        elif outcome.error is not None:
            self.message = outcome.error.message
        elif not outcome.complete:
            self.kind, self.message = "interrupted", "the sweep was stopped before it ran"
        elif end is None:
            self.message = reader.overflow or _broken_off(guard, outcome)
        else:
            self.message = "the board ended the sweep before it ran"
        self.cuts_off = outcome.complete and end in {None, "no-space"}
        """Whether it is also why a trial that had begun has no end."""


def _broken_off(guard: Guard, outcome: BoardOutcome) -> str:
    """Why a whole journal has no last word: only what no program can answer does that.

    A guard outlives its runner, but not the board: then a later one puts the power state back.
    """
    killed = "the runner on the board was killed"
    outlived = guard.restored and not outcome.put_back
    return killed if outlived else f"the board went down, or {killed}"
