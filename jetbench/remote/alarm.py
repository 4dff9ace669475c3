"""One clock for many waits: calls what was asked for when its time has come.

A `threading.Timer` is a thread, and a sweep over 64 boards would start two a board for waits
that nearly all end well.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from jetbench.remote.sockets import BROKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Alarm:
    """Rings for whoever has not left in time. The thread starts with the first who asks."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._waiting: list[tuple[float, int]] = []
        self._ring: dict[int, Callable[[], None]] = {}
        self._number = itertools.count()
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, seconds: float, ring: Callable[[], None]) -> Iterator[None]:
        """Call `ring`, in the alarm's thread, if the block has not ended after `seconds`."""
        with self._wake:
            number = next(self._number)
            due_s = time.monotonic() + seconds
            heapq.heappush(self._waiting, (due_s, number))
            self._ring[number] = ring
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="alarm", daemon=True)
                self._thread.start()
            elif self._waiting[0][1] == number:
                self._wake.notify()
        try:
            yield
        finally:
            self._ring.pop(number, None)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting or self._waiting[0][0] > time.monotonic():
                    left_s = self._waiting[0][0] - time.monotonic() if self._waiting else None
                    self._wake.wait(None if left_s is None else max(left_s, 0.0))
                _, number = heapq.heappop(self._waiting)
            ring = self._ring.pop(number, None)
            if ring is not None:
                with suppress(*BROKEN):
                    ring()


ALARM = Alarm()
