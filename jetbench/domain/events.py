"""What a sweep reports while it runs: one value for each thing that happened.

They come out of `jetbench.bench.sweep` in the order in which they happened on each board;
whoever consumes them stores the journal first and looks at it then.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jetbench.domain.errors import BoardError
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.plan import Case
    from jetbench.domain.timing import Failure


@dataclass(frozen=True, slots=True)
class Connecting:
    """A board is being reached."""

    board: str


@dataclass(frozen=True, slots=True)
class Reached:
    """A board has answered the probe."""

    board: str
    facts: BoardFacts
    probe: bytes
    """The answer as it came, for the evidence."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The cases a board will run, with the nets that lie on it filled in.

    Both hold the case's index in the plan.
    """

    board: str
    cases: tuple[tuple[int, Case], ...]
    refused: tuple[tuple[int, Failure], ...]
    """Those that cannot be run there."""


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A sweep goes on that was begun earlier: so much of it is here already."""

    board: str
    settled: frozenset[int]
    """The ids of the trials that need not be run again."""


@dataclass(frozen=True, slots=True)
class JournalBytes:
    """A piece of the journal of a part on a board, to be stored as it is."""

    board: str
    offset: int
    data: bytes
    part: int = 1


class Receipt:
    """The answer to a journal: stored safely, or not. Given once, by whoever stores."""

    def __init__(self) -> None:
        self._given = threading.Event()
        self._stored = False

    def confirm(self) -> None:
        """The journal is safe on this machine's disk; the board may delete its own."""
        self._stored = True
        self._given.set()

    def decline(self) -> None:
        """It could not be stored; the board must keep its own."""
        self._given.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether it was stored; False too where no answer came in time."""
        return self._given.wait(timeout_s) and self._stored


@dataclass(frozen=True, slots=True)
class JournalComplete:
    """The board has ended a part of the sweep, and its journal is here, whole."""

    board: str
    size_bytes: int
    receipt: Receipt
    part: int = 1


@dataclass(frozen=True, slots=True)
class AtWork:
    """The board measures by itself from here on; nobody follows."""

    board: str


@dataclass(frozen=True, slots=True)
class PutBack:
    """A power state that an earlier guard had left behind was dealt with over this connection."""

    board: str
    said: bytes
    """What the guard said, as journal lines."""
    of_this_sweep: bool
    """Whether it was this sweep's guard that had left it."""
    part: int = 1
    """After which part that was."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth telling that ends nothing: a lost link, a leftover."""

    board: str
    message: str
    doing: str = ""
    """What the board does from now on, in a few words, where that is something else."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing more comes from this board. `error` is None where it ran to its end."""

    board: str
    error: BoardError | None


SweepEvent = (
    Connecting
    | Reached
    | Planned
    | TakenUp
    | JournalBytes
    | JournalComplete
    | AtWork
    | PutBack
    | Note
    | Finished
)
