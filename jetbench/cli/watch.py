"""Progress on standard error: a live display on a terminal, one line an event elsewhere."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from jetbench.report.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import TextIO

    from jetbench.cli.paint import Painter
    from jetbench.domain.events import SweepEvent
    from jetbench.domain.plan import Plan
    from jetbench.report.screen import Row


class Watch:
    """Where a sweep's events are shown."""

    def __init__(self, progress: Progress, err: TextIO) -> None:
        self._progress = progress
        self._err = err

    def take(self, event: SweepEvent) -> None:
        """Show what happened."""
        for line in self._progress.take(event, time.monotonic()):
            self.say(line.text)

    def say(self, line: str) -> None:
        """Show a line that is no event; signals may, in the middle of another line."""
        try:
            print(line, file=self._err, flush=True)
        except RuntimeError:
            # Python's streams cannot be entered twice; what they hold comes after this line.
            os.write(self._err.fileno(), f"\n{line}\n".encode())

    def paused(self) -> AbstractContextManager[None]:
        """Keep the terminal as it is: somebody is being asked something there."""
        return nullcontext()


class _Silent(Watch):
    def say(self, line: str) -> None:
        pass


class _Live(Watch):
    """A line a board, redrawn in place; problems stay above it."""

    def __init__(self, progress: Progress, err: TextIO, painter: Painter) -> None:
        super().__init__(progress, err)
        self._painter = painter

    def paused(self) -> AbstractContextManager[None]:
        return self._painter.paused()

    def take(self, event: SweepEvent) -> None:
        from jetbench.domain.events import Note
        from jetbench.report.screen import Row, Tone

        tone = Tone.DOUBT if isinstance(event, Note) else Tone.BAD
        for line in self._progress.take(event, time.monotonic()):
            if line.matters:
                self._painter.say(Row(line.text, tone))

    def say(self, line: str) -> None:
        from jetbench.report.screen import Row

        self._painter.say(Row(line))


@contextmanager
def watching(plan: Plan, *, quiet: bool, verbose: bool) -> Iterator[Watch]:
    """Show a sweep's progress as fits where standard error goes."""
    from jetbench.cli.paint import Painter, can_move
    from jetbench.report.screen import screen

    progress = Progress(plan)
    if quiet:
        yield _Silent(progress, sys.stderr)
        return
    if verbose or not can_move(sys.stderr):
        yield Watch(progress, sys.stderr)
        return

    def rows(width: int, height: int) -> Sequence[Row]:
        return screen(progress, time.monotonic(), width, height)

    with Painter(rows, sys.stderr) as painter:
        yield _Live(progress, sys.stderr, painter)
