"""Lines as Google's glog writes them to standard error, by a clock of its own."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from typing import NoReturn

_MAX_LENGTH = 29998
"""Longer messages are cut, such as the printed net of GoogLeNet."""


class Glog:
    """Writes lines such as ``I0228 11:53:41.861127  7979 caffe.cpp:412] …``.

    Its clock starts at the time of day and is moved on by whoever pretends that time passes;
    what the program itself takes counts as well. With a `time_scale` of 1 it is the time of day.
    """

    _STEP_S = 4e-6
    """What a line takes."""
    _BEHIND_S = 0.005
    """Beyond this it catches up; a sleep that was a little too long is made up for."""

    def __init__(self, time_scale: float = 0.0) -> None:
        """Start the clock now.

        Args:
            time_scale: Seconds to wait for each second that is let pass.
        """
        self.offset_s = 0
        """How far the board's clock is off."""
        self._time_scale = time_scale
        self._now_s = self._due_s = time.time()

    def advance(self, seconds: float) -> None:
        """Let time pass for the clock, and here as much of it as the scale says."""
        self._catch_up()
        self._now_s += seconds
        self._due_s += seconds * self._time_scale
        sys.stderr.flush()
        left_s = self._due_s - time.time()
        if left_s > 0:
            time.sleep(left_s)

    def _catch_up(self) -> None:
        behind_s = time.time() - self._due_s
        if behind_s > self._BEHIND_S:
            self._now_s += behind_s
            self._due_s += behind_s

    def info(self, place: str, message: str) -> None:
        """A line of level I; `place` is ``file:line`` of Caffe's source."""
        self._line("I", place, message)

    def warning(self, place: str, message: str) -> None:
        """A line of level W."""
        self._line("W", place, message)

    def error(self, place: str, message: str) -> None:
        """A line of level E."""
        self._line("E", place, message)

    def raw(self, text: str) -> None:
        """Text without a prefix."""
        sys.stderr.write(f"{text}\n")

    def fatal(self, place: str, message: str) -> NoReturn:
        """A line of level F, the stack that follows it, and the end by SIGABRT."""
        self._line("F", place, message)
        self.raw("*** Check failure stack trace: ***")
        self.raw("    @              (nil)  (unknown)")
        die(signal.SIGABRT)

    def _line(self, level: str, place: str, message: str) -> None:
        self._catch_up()
        self._now_s += self._STEP_S
        self._due_s += self._STEP_S * self._time_scale
        local = time.localtime(self._now_s + self.offset_s)
        stamp = time.strftime("%m%d %H:%M:%S", local)
        micros = int(self._now_s % 1 * 1e6)
        line = f"{level}{stamp}.{micros:06d} {os.getpid():5d} {place}] {message}"
        sys.stderr.write(f"{line[:_MAX_LENGTH]}\n")


def aborted(number: signal.Signals, sender: int) -> str:
    """What glog prints when a signal ends the program; `sender` is a process, or 0."""
    now = int(time.time())
    return (
        f'*** Aborted at {now} (unix time) try "date -d @{now}" if you are using GNU date ***\n'
        "PC: @                0x0 (unknown)\n"
        f"*** {number.name} (@{sender:#x}) received by PID {os.getpid()} (TID 0x0) "
        f"from PID {sender}; stack trace: ***\n    @                0x0 (unknown)\n"
    )


def die(number: signal.Signals) -> NoReturn:
    """End by a signal, as a crash does, but without a core file."""
    sys.stderr.flush()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)
