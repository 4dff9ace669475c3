"""The sweep: one thread a board, one stream of events."""

from __future__ import annotations

import gc
import queue
import threading
from typing import TYPE_CHECKING

from jetbench.bench.errand import Door, Errand
from jetbench.bench.visit import Visit
from jetbench.domain.events import Finished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.domain.events import SweepEvent
    from jetbench.domain.plan import Plan

MAX_EVENTS_WAITING = 64
"""A board that sends more than can be stored waits, and what it sent is not in memory."""

__all__ = ["Door", "Errand", "run_sweep"]


def run_sweep(
    plan: Plan, door: Door, stop: threading.Event, errand: Errand | None = None
) -> Iterator[SweepEvent]:
    """Measure a plan on all of its boards.

    Args:
        plan: What to measure.
        door: How to reach the boards.
        stop: When set, every board ends its trial, is restored, and sends what it has.
        errand: What is to be done with the plan; None: measure all of it.

    Yields:
        What happens, in the order in which it happens on each board. The last event of a
        board is `Finished`.
    """
    # What is loaded by now stays: the garbage collector need not look through all of it
    # again and again while the boards' threads make and drop their small objects.
    gc.freeze()
    events: queue.Queue[SweepEvent] = queue.Queue(MAX_EVENTS_WAITING)
    for board in plan.boards:
        visit = Visit(plan, board, door, stop, events, errand or Errand())
        threading.Thread(target=visit.run, name=f"jetbench {board.name}", daemon=True).start()
    left = len(plan.boards)
    while left:
        event = events.get()
        if isinstance(event, Finished):
            left -= 1
        yield event
