"""A few lines at the foot of a terminal that change in place, and lines that pass above them.

One thread writes to the terminal, and nobody else: what is said by a handler of signals cannot
fall into the middle of a line, and however often Ctrl-C is pressed, that thread still removes
its lines before it ends. The cursor stays to be seen, below them: a killed program leaves a
terminal as good as before.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jetbench.report.fitting import cell_len
from jetbench.report.screen import Row, Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from typing_extensions import Self

EVERY_S = 0.25
_COLOURS = {Tone.PLAIN: "", Tone.FAINT: "\x1b[2m", Tone.DOUBT: "\x1b[33m", Tone.BAD: "\x1b[31m"}
_AS_BEFORE = "\x1b[0m"
_LEAST_WIDTH = 20
# A line that is wider than it seems must not become two.
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_TO_LINE_END, _TO_SCREEN_END = "\x1b[K", "\x1b[J"


def has_colours(stream: TextIO) -> bool:
    """Whether colours may go there: to a terminal that knows them, and a user who wants them."""
    return can_move(stream) and not os.environ.get("NO_COLOR")


def can_move(stream: TextIO) -> bool:
    """Whether it is a terminal on which lines can be written over."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown", ""}


def size_of(stream: TextIO) -> tuple[int, int]:
    """Columns and lines of a terminal, as they are now."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    return columns or _number("COLUMNS") or 80, lines or _number("LINES") or 24


def room_on(columns: int, lines: int) -> tuple[int, int]:
    """How many columns and lines of a terminal may be painted on.

    A part of a large one is left to what was said; the last line is the cursor's: there falls
    what the terminal echoes.
    """
    return max(columns - 1, _LEAST_WIDTH), max(min(lines - 1, max(lines * 3 // 4, 12)), 1)


def _number(variable: str) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isascii() and text.isdigit() else 0


class Painter:
    """Shows rows, again and again, until it is left."""

    def __init__(self, rows: Callable[[int, int], Sequence[Row]], stream: TextIO) -> None:
        """Nothing is shown yet.

        Args:
            rows: What is to be seen on so many columns and lines. Called by another thread.
            stream: The terminal.
        """
        self._rows = rows
        self._stream = stream
        self._colours = has_colours(stream)
        self._said: deque[Row] = deque()
        self._shown: Sequence[Row] = []
        self._columns = 0
        self._pauses = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._paint, name="jetbench terminal")

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the rows; what was said stays."""
        self._over.set()
        # If somebody loses patience here: Python itself waits for the thread at its end.
        self._thread.join()

    def say(self, row: Row) -> None:
        """Have a line stand above the others, soon. Takes no lock: signals may say something."""
        self._said.append(row)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Remove everything, and let somebody else use the terminal."""
        with self._lock:
            self._write(self._change([]))
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1

    def _paint(self) -> None:
        while not self._over.wait(EVERY_S):
            with self._lock:
                if not self._pauses:
                    self._write(self._change(self._rows(*room_on(*size_of(self._stream)))))
        with self._lock:
            self._write(self._change([]))

    def _change(self, rows: Sequence[Row]) -> str:
        """What makes the terminal show these rows, and whatever was said above them."""
        columns, _ = size_of(self._stream)
        said = [self._said.popleft() for _ in range(len(self._said))]
        if not said and rows == self._shown and columns == self._columns:
            return ""
        up = _lines_of(self._shown, columns)
        pieces = ["\r", f"\x1b[{up}A" if up else ""]
        if said or not rows or columns != self._columns:
            pieces.append(_TO_SCREEN_END)
        # At Ctrl-C the kernel discards what a terminal has not read yet: the end of a frame may be
        # lost, and with it that lines are broken again. What is said must not be cut for that.
        pieces += [f"{_WRAP}{self._coloured(row)}\n" for row in said]
        if rows:
            pieces.append(_NO_WRAP)
            pieces += [f"{self._coloured(row)}{_TO_LINE_END}\n" for row in rows]
            pieces += [_TO_SCREEN_END, _WRAP]
        self._shown, self._columns = rows, columns
        return "".join(pieces)

    def _coloured(self, row: Row) -> str:
        colour = _COLOURS[row.tone] if self._colours else ""
        return f"{colour}{row.text}{_AS_BEFORE}" if colour else row.text

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # The terminal is gone; the sweep need not be.
            self._over.set()


def _lines_of(rows: Sequence[Row], columns: int) -> int:
    """How many lines rows take once the terminal is so wide.

    Most terminals break lines that have become too wide for them.
    """
    return sum(max(-(-cell_len(row.text) // columns), 1) for row in rows)
