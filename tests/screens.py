"""A terminal, and what a person sees on it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WITHIN_S = 120
"""What nothing here takes, even on a busy machine."""


class Terminal:
    """A pty with an emulator behind it.

    Where it gets narrower, it leaves its lines as they are, as xterm does; or it breaks those
    that are too wide, as most others do.
    """

    def __init__(self, columns: int = 80, lines: int = 24, *, breaks_lines: bool = False) -> None:
        self.ours, self.theirs = pty.openpty()
        self.said = b""
        self._breaks_lines = breaks_lines
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._tell_size(columns, lines)

    @property
    def lines(self) -> list[str]:
        """What is to be seen, without the blanks at the ends of the lines."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The same, as one text."""
        return "\n".join(self.lines).rstrip()

    @property
    def cursor(self) -> tuple[int, int, bool]:
        """Line, column, and whether it is to be seen."""
        return self._screen.cursor.y, self._screen.cursor.x, not self._screen.cursor.hidden

    @property
    def colours(self) -> set[str]:
        """Of all letters that are to be seen."""
        return {
            cell.fg
            for line in self._screen.buffer.values()
            for cell in line.values()
            if cell.data.strip()
        }

    def hear(self, within_s: float = 0.0) -> bool:
        """Take what was written; False where there was nothing."""
        if not select.select([self.ours], [], [], within_s)[0]:
            return False
        piece = os.read(self.ours, 65536)
        self.said += piece
        self._stream.feed(piece)
        return True

    def hear_all(self) -> None:
        """Take all that was written."""
        while self.hear():
            pass

    def wait_for(self, true: Callable[[], bool]) -> None:
        """Return when it is true of what is to be seen."""
        give_up = time.monotonic() + WITHIN_S
        while not true():
            assert time.monotonic() < give_up, self.text
            self.hear(0.1)

    def resize(self, columns: int, lines: int) -> None:
        """Make it so large; whoever runs there is told by a signal."""
        if self._breaks_lines and columns < self._screen.columns:
            written = self.lines[: self._screen.cursor.y]
            broken = [
                line[begin : begin + columns]
                for line in written
                for begin in range(0, max(len(line), 1), columns)
            ]
            self._screen.reset()
            self._screen.resize(lines, columns)
            self._stream.feed("".join(f"{line}\r\n" for line in broken).encode())
        else:
            self._screen.resize(lines, columns)
        self._tell_size(columns, lines)

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def close(self) -> None:
        os.close(self.ours)
        os.close(self.theirs)

    def _tell_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


@contextmanager
def terminal(
    columns: int = 80, lines: int = 24, *, breaks_lines: bool = False
) -> Iterator[Terminal]:
    """A terminal for a test."""
    made = Terminal(columns, lines, breaks_lines=breaks_lines)
    try:
        yield made
    finally:
        made.close()
