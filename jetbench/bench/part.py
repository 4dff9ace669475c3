"""A part of a sweep on one board, as its journal tells of it while it comes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from jetbench.domain.errors import BoardAnswerError
from jetbench.formats.journal import EventReader

MAX_JOURNAL_BYTES = 2**30
"""Of one part, on this machine's disk. A trial has some 20 kB, and at most 600 kB for each
quarter of an hour that it lasts: no honest sweep of a week comes to this."""

_PUT_BACK = {"restored", "not-restored"}


@dataclass(slots=True)
class Part:
    """A part as its journal has told of it so far."""

    number: int
    received: int = 0
    events: EventReader = field(default_factory=EventReader)
    guard: set[str] = field(default_factory=set)
    """Every state that the guard has told of."""
    end: str | None = None
    """Why it ended, where it says so."""
    at_work: bool = False
    """Whether a trial was begun."""

    @property
    def broken(self) -> str | None:
        """Why it was cut off; None where it has ended by itself."""
        if self.end == "guard-gone":
            return "the guard of its power state died"
        return "the runner was killed, or the board went down" if self.end is None else None

    @property
    def left_behind(self) -> bool:
        """Whether its guard has not said that it has put the power state back."""
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
