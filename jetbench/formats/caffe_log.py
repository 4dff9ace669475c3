"""Logs of ``caffe time``: of BVLC's Caffe, its forks and its forerunner.

The formats are those of ``tools/caffe.cpp`` (BVLC, ssd-caffe, NVIDIA's fork, Intel's
preview) and of ``net_speed_benchmark`` of 2014. A message is recognised by its beginning,
so that "Average Initialization Forward/Backward pass" is never taken for a result.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING

from jetbench.formats.caffe_log_failure import classify
from jetbench.formats.caffe_log_lines import NUMBER, Splitter, has_stamp
from jetbench.formats.caffe_log_run import Run
from jetbench.formats.caffe_log_scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jetbench.domain.timing import ParsedLog
    from jetbench.formats.caffe_log_lines import Message

__all__ = ["classify", "parse_blocks", "parse_log", "parse_runs"]

_MAX_RUNS = 1000
_HEAD_BYTES = 1024

_NUMBER = b"(" + NUMBER + b")"
_UNIT = rb" ?(?:ms|milli ?seconds)\b\.?"
_ITERATION = re.compile(rb"Iteration: [0-9]+ forward-backward time: " + _NUMBER + _UNIT)
_RESULT = re.compile(
    rb"(?:(Average|Min) )?(Forward pass|Backward pass|Forward-Backward|Total Time): "
    + _NUMBER
    + _UNIT
)
_LAYER = re.compile(rb"(\S+(?:[ \t]+\S+)*?)[ \t]+(forward|backward): " + _NUMBER + _UNIT)
_TESTING = re.compile(rb"Testing for (-?[0-9]{1,9}) ?[Ii]terations")
_DEVICE = re.compile(rb"(?:Use|Using) (CPU|GPU)")
_NVIDIA = re.compile(rb"Initialization for [0-9]+ iter|Average Initialization Forward/Backward")
_SHELL_PROMPT = re.compile(rb"\S*[$#] .*\bcaffe[\w-]{0,20} time\b")


def parse_log(data: bytes) -> ParsedLog:
    """The last finished run of a log; the last run where none is finished."""
    return parse_blocks([data])[0]


def parse_runs(data: bytes) -> tuple[ParsedLog, ...]:
    """Every run of a log, in order; one that says why where there is none."""
    runs: deque[ParsedLog] = deque(maxlen=_MAX_RUNS)
    _read([data], lambda run: runs.append(run.parsed()))
    return tuple(runs)


def parse_blocks(blocks: Iterable[bytes]) -> tuple[ParsedLog, int]:
    """Like `parse_log`, from a log of any size in pieces of any size; and how many runs it has."""
    chosen = _Choice()
    _read(blocks, chosen.offer)
    return chosen.run.parsed(), chosen.offered


def _read(blocks: Iterable[bytes], done: Callable[[Run], None]) -> None:
    rest = iter(blocks)
    first = next(rest, b"")
    reader = _Reader(Run(first[:_HEAD_BYTES]), done)
    scan(chain([first], rest), reader)
    reader.finish()


class _Choice:
    """Keeps the run that counts: the last finished one, else the last."""

    def __init__(self) -> None:
        self.run = Run()
        self.offered = 0

    def offer(self, run: Run) -> None:
        """The next run of the log."""
        self.offered += 1
        if run.complete or not self.run.complete:
            self.run = run


class _Reader:
    """Hands each line to the run it belongs to."""

    def __init__(self, first: Run, done: Callable[[Run], None]) -> None:
        self.run = first
        self._done = done
        self._runs = 0
        self._splitter = Splitter()

    @property
    def listening(self) -> bool:
        """Whether the next line may belong to the message that came last."""
        return self._splitter.held is not None or self.run.evidence.listening

    @property
    def timing(self) -> bool:
        """Whether a line that looks like a time is one, and not part of a printed net."""
        return not self.run.set_up.printing

    def iteration(self, number: bytes) -> None:
        """The time of an iteration."""
        self.run.iteration(number)

    def layer(self, name: bytes, direction: bytes, number: bytes) -> None:
        """A line of the table of layers."""
        self.run.layer(name, direction, number)

    def take(self, line: bytes) -> None:
        """Read a line that tells something."""
        self.run.set_up.keep(line)
        for message in self._splitter.feed(line):
            self._read(message)

    def pass_over(self, text: bytes) -> None:
        """Lines that say nothing but what the net is."""
        if (self.run.set_up.printing or not self.run.caffe) and has_stamp(text):
            self._stamped()
        self.run.set_up.keep(text)

    def finish(self) -> None:
        """The log ends here; a last run in which nothing has happened is none."""
        for message in self._splitter.end():
            self._read(message)
        if self.run.used or not self._runs:
            self._next()

    def _read(self, message: Message) -> None:
        text, run = message.text, self.run
        if message.level is not None:
            self._stamped()
        if run.evidence.look_at(message) or (message.level is None and run.set_up.printing):
            return
        if not (self._stage(message) or self._time(text)):
            if message.level is not None:
                self._build(text)
            elif run.used and _SHELL_PROMPT.match(text):
                self._next()

    def _stamped(self) -> None:
        """A message of glog's shows that it is a log, and ends a printed net."""
        self.run.caffe = True
        self.run.set_up.printing = False

    def _time(self, text: bytes) -> bool:
        """Read a message that holds a time."""
        if found := _RESULT.match(text):
            if found[2] == b"Forward pass" and b"Forward pass" in self.run.results:
                self._next()
            self.run.result(found[1], found[2], found[3])
        elif found := _ITERATION.match(text):
            self.run.iteration(found[1])
        elif b"ward: " in text and (found := _LAYER.match(text)):
            self.run.layer(found[1], found[2], found[3])
        else:
            return False
        return True

    def _stage(self, message: Message) -> bool:
        """Read a message that says how far the run is."""
        text, run = message.text, self.run
        if text[:1] not in {b"*", b"T", b"U"}:
            return False
        if found := _TESTING.match(text):
            if run.iterations is not None:
                self._next()
            self.run.iterations = int(found[1])
        elif text.startswith(b"*** Benchmark begins"):
            if run.begun:
                self._next()
            self.run.begun = True
            self.run.begin_stamp = message.stamp
            self.run.set_up.end()
        elif text.startswith(b"*** Benchmark ends"):
            self.run.end_stamp = message.stamp
        elif found := _DEVICE.match(text):
            if run.used:
                self._next()
            self.run.gpu = found[1] == b"GPU"
        else:
            return False
        self.run.caffe = True
        return True

    def _build(self, text: bytes) -> None:
        """Read a message of the net's construction."""
        if text.startswith(b"Initializing net from parameters"):
            if self.run.begun or self.run.results or self.run.layers:
                self._next()
            self.run.set_up.start()
        elif text.startswith(b"Network initialization done"):
            self.run.set_up.finish()
        elif _NVIDIA.match(text):
            self.run.nvidia = True

    def _next(self) -> None:
        self._done(self.run)
        self._runs += 1
        self.run = Run()
        self.run.caffe = True
