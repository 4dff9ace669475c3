"""A part of a sweep on one board, as its journal has told of it so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jetbench.domain.errors import BoardAnswerError
from jetbench.domain.part import part_key
from jetbench.formats.journal import EventReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.part import KnownBoard, PartOnBoard

MAX_JOURNAL_BYTES = 2**30
"""Of one part, on this machine's disk. A trial has some 20 kB, and at most 600 kB for each
quarter of an hour that it lasts: no honest sweep of a week comes to this."""

_CUT_OFF = {
    "guard-gone": "the guard of its power state died",
    "terminated": "the runner was told to end, as when the board goes down",
}
"""What a part ends with that was neither finished nor stopped by anybody."""
_PUT_BACK = {"restored", "not-restored"}


@dataclass(slots=True)
class PartSoFar:
    """What is known of a part while it is followed."""

    number: int
    """What it is called here."""
    there: int
    """What it is called on the board: another host may have numbered it."""
    received: int = 0
    events: EventReader = field(default_factory=EventReader)
    guard: set[str] = field(default_factory=set)
    """Every state that the guard has told of."""
    end: str | None = None
    """Why it ended, where it says so."""
    at_work: bool = False
    """Whether a trial was begun."""

    def key(self, sweep_id: str) -> str:
        """What the board calls it."""
        return part_key(sweep_id, self.there)

    @property
    def broken(self) -> str | None:
        """Why it was cut off; None where it has ended by itself."""
        if self.end in _CUT_OFF:
            return _CUT_OFF[self.end]
        return "the runner was killed, or the board went down" if self.end is None else None

    @property
    def left_behind(self) -> bool:
        """Whether its guard has saved the power state, and has not put it back."""
        return "saved" in self.guard and self.guard.isdisjoint(_PUT_BACK)

    def check_bounds(self, sweep_id: str, give_up_s: float) -> None:
        """Give a board up that says more, or for longer, than its trials can take.

        Args:
            sweep_id: Of the sweep.
            give_up_s: Until when it may go on, by the monotonic clock.

        Raises:
            BoardAnswerError: It does.
        """
        if self.received > MAX_JOURNAL_BYTES:
            message = f"its journal has more than {MAX_JOURNAL_BYTES} bytes; given up"
        elif time.monotonic() > give_up_s:
            message = "it goes on for longer than all of its trials may take; given up"
        else:
            return
        hint = f"look at ~/.jetbench/sweeps/{sweep_id} there: what runs, and writes so?"
        raise BoardAnswerError(message, hint=hint)


def parts_there(known: KnownBoard, parts: Sequence[PartOnBoard]) -> list[PartSoFar]:
    """The parts that a board keeps, each under the number that it has here.

    Two hosts that take a sweep over from each other may give the same number to two parts. Each
    is known by how it began: what is here of another one is never gone on with.
    """
    taken = {number for number, size in known.sizes.items() if size}
    highest = max(taken | {part.part for part in parts}, default=0)
    numbers = {start: number for number, start in known.starts.items()}
    found = []
    for part in parts:
        number = numbers.get(part.start or "", part.part)
        if number in taken and known.starts.get(number) != part.start:
            highest += 1
            number = highest
        taken.add(number)
        found.append(PartSoFar(number, part.part, received=known.sizes.get(number, 0)))
    return found
