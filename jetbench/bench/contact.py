"""One board's connection, and the patience with which it is made again."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from jetbench.domain.errors import LinkLostError, UnreachableError
from jetbench.remote.session import Session

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from typing import TypeVar

    from jetbench.domain.board import Board
    from jetbench.remote.connection import Link

    T = TypeVar("T")

RECONNECT_S = 180.0
"""How long a board may be out of reach before it is given up; it measures on meanwhile."""
STOPPING_S = 20.0
"""The same, once the sweep is to be stopped: somebody waits at a terminal."""
FIRST_S = 3.0
"""The same, before it has answered anything."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
"""Between two tries; doubled each time, and half as much again or less by chance."""


class Contact:
    """Asks a board, over as many connections as it takes. For one thread."""

    def __init__(
        self, board: Board, connect: Callable[[Board], Link], stop: threading.Event
    ) -> None:
        self._board = board
        self._open = connect
        self._stop = stop
        self._link: Link | None = None
        self._session: Session | None = None
        self.jitter = random.Random()  # noqa: S311 - spreads retries, and guards nothing

    def connect(self) -> Session:
        """Connect anew.

        Raises:
            BoardError: It cannot be reached, or does not let us in.
        """
        self.hang_up()
        self._link = self._open(self._board)
        self._session = Session(self._link)
        return self._session

    def lost(self) -> None:
        """Take the connection for broken: the next question goes over a new one."""
        self._session = None

    def hang_up(self) -> None:
        """Close the connection."""
        self._session = None
        if self._link is not None:
            self._link.close()
            self._link = None

    def persist(self, ask: Callable[[Session], T], patience_s: float | None = None) -> T:
        """Ask the board, and again over new connections while the link breaks.

        Args:
            ask: The question; must do no harm when it is asked twice.
            patience_s: How long it may be out of reach; None: `RECONNECT_S`.

        Raises:
            LinkLostError: It was out of reach for too long.
            BoardError: What `ask` raises otherwise.
        """
        began_s = time.monotonic()
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return ask(self._session or self.connect())
            except (LinkLostError, UnreachableError) as problem:
                self._session = None
                limit_s = RECONNECT_S if patience_s is None else patience_s
                if self._stop.is_set():
                    limit_s = min(limit_s, STOPPING_S)
                waited_s = time.monotonic() - began_s
                if waited_s > limit_s:
                    message = f"{problem.message}; given up after {waited_s:.0f} s"
                    hint = "the board goes on by itself, and puts its power state back"
                    raise LinkLostError(message, hint=hint) from problem
            time.sleep(pause_s * self.jitter.uniform(0.5, 1.5))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def stop(self, sweep_id: str) -> bool:
        """Ask the board to end a sweep, beside whatever the session is busy with.

        Returns:
            Whether it runs there, and was told.
        """
        return self._link is not None and Session(self._link).stop(sweep_id)
