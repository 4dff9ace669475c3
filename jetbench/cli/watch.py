"""Progress on standard error: a live display on a terminal, one line an event elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jetbench.report.progress import BoardProgress, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live
    from typing_extensions import Self

    from jetbench.domain.events import SweepEvent
    from jetbench.domain.plan import Plan


class Watch:
    """Where a sweep's events are shown."""

    def __init__(self, progress: Progress, err: TextIO) -> None:
        self._progress = progress
        self._err = err

    def take(self, event: SweepEvent) -> None:
        """Show what happened."""
        for line in self._progress.take(event, time.monotonic()):
            self.say(line)

    def say(self, line: str) -> None:
        """Show a line that is no event."""
        print(line, file=self._err, flush=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keep the terminal as it is: somebody is being asked something there."""
        yield


class _Silent(Watch):
    def say(self, line: str) -> None:
        pass


class _Live(Watch):
    """A line a board, redrawn in place; problems stay above it."""

    def __init__(self, progress: Progress, err: TextIO, console: Console) -> None:
        super().__init__(progress, err)
        self._console = console
        self._display: Live | None = None
        self._over = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._over = True
        self._hide()

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._hide()
        try:
            yield
        finally:
            self._show()

    def _show(self) -> None:
        from rich.live import Live

        with self._lock:
            if not self._over:
                # A new one each time: a display that goes on would go on where it was.
                self._display = Live(
                    self, console=self._console, refresh_per_second=4, transient=True
                )
                self._display.start()

    def _hide(self) -> None:
        with self._lock:
            if self._display is not None:
                self._display.stop()
                self._display = None

    def take(self, event: SweepEvent) -> None:
        from jetbench.domain.events import Finished, Note, Planned

        lines = self._progress.take(event, time.monotonic())
        if isinstance(event, Note | Planned) or (
            isinstance(event, Finished) and event.error is not None
        ):
            for line in lines:
                self.say(line)

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        now_s = time.monotonic()
        boards = self._progress.boards.values()
        room = max((options.max_height or console.height) - 3, 4)
        # What runs matters more than what waits, and that more than what is over.
        shown = sorted(boards, key=lambda b: (b.finished, b.done == 0 and b.doing == "waiting"))
        for board in shown[:room]:
            text = Text(board_line(board, now_s, console.width - 1), no_wrap=True)
            if board.problem:
                text.stylize("red")
            elif board.finished:
                text.stylize("dim")
            yield text
        if len(boards) > 1:
            over = sum(board.finished for board in boards)
            trials = sum(board.done for board in boards)
            total = sum(board.total for board in boards)
            yield Text(f"{over} of {len(boards)} boards finished, {trials} of {total} trials")


def board_line(board: BoardProgress, now_s: float, width: int) -> str:
    """``tx2-01    [####------]  5/12  vgg16, 2 of 3  41 °C  0:41 left``, cut to the width."""
    filled = round(10 * board.done / board.total) if board.total else 10
    parts = [
        f"{board.name[:16]:<16}",
        f"[{'#' * filled}{'-' * (10 - filled)}]",
        f"{board.done:>3}/{board.total:<3}",
        board.doing,
    ]
    left_s = board.left_s(now_s)
    if board.temp_c is not None and not board.finished:
        parts.append(f"{board.temp_c:.0f} °C")
    if left_s is not None and not board.problem:
        parts.append(f"{int(left_s) // 60}:{int(left_s) % 60:02d} left")
    line = " ".join(parts)
    return line if len(line) <= width else f"{line[: width - 1]}…"


@contextmanager
def watching(plan: Plan, *, quiet: bool, verbose: bool) -> Iterator[Watch]:
    """Show a sweep's progress as fits where standard error goes."""
    progress = Progress(plan)
    if quiet:
        yield _Silent(progress, sys.stderr)
        return
    if verbose or not sys.stderr.isatty():
        yield Watch(progress, sys.stderr)
        return
    from rich.console import Console

    with _Live(progress, sys.stderr, Console(stderr=True)) as live:
        yield live
