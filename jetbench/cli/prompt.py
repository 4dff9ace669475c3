"""A question on the terminal whose answer is not shown."""

from __future__ import annotations

import os
import select
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_S = 0.2
_MAX_LINE = 4096


def ask_hidden(question: str, cancelled: Callable[[], bool]) -> str | None:
    """Ask on the terminal of standard input, from any thread.

    Unlike `getpass`, which only the main thread's Ctrl-C can end, it can be given up from
    another thread, and always leaves the terminal as it was.

    Args:
        question: What to show.
        cancelled: Asked a few times a second; True gives up.

    Returns:
        The line that was typed; None where it was cancelled, or nothing can come any more.
    """
    terminal = os.open(os.ttyname(sys.stdin.fileno()), os.O_RDWR | os.O_NOCTTY)
    try:
        before = termios.tcgetattr(terminal)
        hidden = [*before]
        hidden[3] &= ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
        try:
            os.write(terminal, question.encode())
            while not cancelled():
                ready, _, _ = select.select([terminal], [], [], _LOOK_S)
                if ready:
                    line = os.read(terminal, _MAX_LINE).decode("utf-8", "surrogateescape")
                    return line.rstrip("\r\n") if line else None
            return None
        finally:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
            os.write(terminal, b"\n")
    finally:
        os.close(terminal)
