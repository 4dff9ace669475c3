"""Logs of ``caffe time``: of BVLC's Caffe, its forks and its forerunner.

The formats are those of ``tools/caffe.cpp`` (BVLC, ssd-caffe, NVIDIA's fork, Intel's
preview) and of ``net_speed_benchmark`` of 2014. A message is recognised by its beginning,
so that "Average Initialization Forward/Backward pass" is never taken for a result.
"""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING

from jetbench.domain.timing import Failure, LayerTiming, ParsedLog
from jetbench.formats.caffe_log_failure import NOT_CAFFE, Evidence, classify
from jetbench.formats.caffe_log_lines import Splitter, clean
from jetbench.formats.caffe_log_net import NetReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jetbench.domain.timing import Fork, Statistic
    from jetbench.formats.caffe_log_lines import Message

__all__ = ["classify", "parse_lines", "parse_log", "parse_runs", "parse_runs_of_lines"]

MAX_ITERATION_TIMES = 10_000
_MAX_LAYERS = 100_000
_MAX_RUNS = 1000
_IMAGE_AXES = 4
_NAME_LENGTH = 300
_MAX_COUNT = 1e9
_SLACK = 0.01
"""How far a total may be from a multiple of the mean: it holds the logging of the table."""

_NUMBER = rb"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|[-+]?nan(?:\(\w*\))?|[-+]?inf)"
_UNIT = rb" ?(?:ms|milli ?seconds)\b\.?"
# Nearly all lines of a long log; `Splitter` never needs to see them.
_PLAIN_ITERATION = re.compile(
    rb"I[0-9]{4,8} [0-9:]{8}\.[0-9]{6} +[0-9]+ \w+\.cpp:[0-9]+\] "
    rb"Iteration: [0-9]+ forward-backward time: ([0-9.]+) ms\.\r?\n"
)
_ITERATION = re.compile(rb"Iteration: [0-9]+ forward-backward time: " + _NUMBER + _UNIT)
_RESULT = re.compile(
    rb"(?:(Average|Min) )?(Forward pass|Backward pass|Forward-Backward|Total Time): "
    + _NUMBER
    + _UNIT
)
_LAYER = re.compile(rb"(\S.*?)[ \t]+(forward|backward): " + _NUMBER + _UNIT)
_TESTING = re.compile(rb"Testing for (-?[0-9]{1,9}) ?[Ii]terations")
_DEVICE = re.compile(rb"(?:Use|Using) (CPU|GPU)")
_NVIDIA = re.compile(rb"Initialization for [0-9]+ iter|Average Initialization Forward/Backward")
_SHELL_PROMPT = re.compile(rb"\S*[$#] .*\bcaffe\S* time\b")


def parse_log(data: bytes) -> ParsedLog:
    """The last finished run of a log; the last run where none is finished."""
    return parse_lines(io.BytesIO(data))


def parse_runs(data: bytes) -> tuple[ParsedLog, ...]:
    """Every run of a log, in order; one that says why where there is none."""
    return parse_runs_of_lines(io.BytesIO(data))


def parse_lines(lines: Iterable[bytes]) -> ParsedLog:
    """Like `parse_log`, from lines or a binary file, holding only one line at a time."""
    runs = parse_runs_of_lines(lines)
    return next((run for run in reversed(runs) if run.complete), runs[-1])


def parse_runs_of_lines(lines: Iterable[bytes]) -> tuple[ParsedLog, ...]:
    """Like `parse_runs`, from lines or a binary file, holding only one line at a time."""
    reader = _Reader()
    splitter = Splitter()
    plain = _PLAIN_ITERATION.fullmatch
    for line in lines:
        if splitter.held is None and (found := plain(line)):
            reader.run.iteration(found[1])
            continue
        for message in splitter.feed(line):
            reader.take(message)
    for message in splitter.end():
        reader.take(message)
    return reader.finish()


class _Run:
    """What has been read of one run."""

    def __init__(self) -> None:
        self.net = NetReader()
        self.evidence = Evidence()
        self.results: dict[bytes, float | None] = {}
        self.printed: dict[bytes, bytes] = {}
        self.statistic: Statistic = "average"
        self.whole = False
        self.iterations: int | None = None
        self.begun = False
        self.caffe = False
        self.gpu: bool | None = None
        self.nvidia = False
        self.times: list[float] = []
        self.layers: dict[str, list[float | None]] = {}

    @property
    def used(self) -> bool:
        """Whether there is anything in it that a second run could be mixed with.

        The announced iterations are not: the tool of 2014 names them before the device.
        """
        return bool(self.begun or self.results or self.evidence or self.net.seen or self.layers)

    def iteration(self, number: bytes) -> None:
        """Keep the time of one iteration."""
        self.caffe = True
        if len(self.times) < MAX_ITERATION_TIMES and (value := _value(number)) is not None:
            self.times.append(value)

    def layer(self, name: bytes, direction: bytes, number: bytes) -> None:
        """Keep a line of the table of layers."""
        self.caffe = True
        key = clean(name, _NAME_LENGTH)
        if key in self.layers or len(self.layers) < _MAX_LAYERS:
            pair = self.layers.setdefault(key, [None, None])
            pair[direction == b"backward"] = _value(number)

    def result(self, statistic: bytes | None, name: bytes, number: bytes) -> None:
        """Keep one of the lines behind the table."""
        self.caffe = True
        self.printed[name] = number
        self.results[name] = _value(number)
        if statistic == b"Min":
            self.statistic = "minimum"
        elif statistic is None and name.endswith(b"pass"):
            self.whole = True

    def parsed(self) -> ParsedLog:
        """The run as a value."""
        total = self.results.get(b"Total Time")
        both = self.results.get(b"Forward-Backward")
        iterations = self._iterations(total, both)
        forward = self._mean(self.results.get(b"Forward pass"))
        measured = forward is not None and forward > 0 and (iterations is None or iterations > 0)
        shapes = self.net.input_shapes()
        return ParsedLog(
            forward_ms=forward if measured else None,
            backward_ms=self._mean(self.results.get(b"Backward pass")) if measured else None,
            forward_backward_ms=both if measured else None,
            total_ms=total if measured else None,
            iterations=iterations,
            batch=_batch(shapes),
            input_shapes=shapes,
            phase=self.net.phase,
            fork=self._fork(),
            gpu=self.gpu,
            layers=tuple(
                LayerTiming(name, self.net.type_of(name), *map(self._mean, pair))
                for name, pair in self.layers.items()
            ),
            iteration_ms=tuple(self.times),
            statistic=self.statistic,
            complete=measured,
            failure=None if measured else self._failure(),
        )

    def _mean(self, value: float | None) -> float | None:
        """A printed time; the tool of 2014 prints the sum over the iterations."""
        if value is None or not self.whole:
            return value
        return value / self.iterations if self.iterations and self.iterations > 0 else None

    def _iterations(self, total: float | None, both: float | None) -> int | None:
        """As announced; else what the total holds of the mean, where that is near a number."""
        if self.iterations is not None or not total or not both or self.statistic == "minimum":
            return self.iterations
        count = total / both
        near = count < _MAX_COUNT and abs(count - round(count)) < _SLACK * count
        return round(count) if near else None

    def _fork(self) -> Fork | None:
        if self.nvidia:
            return "nvidia"
        return "intel" if self.statistic == "minimum" else self.net.fork()

    def _failure(self) -> Failure:
        if found := self.evidence.failure():
            return found
        if number := self.printed.get(b"Forward pass"):
            count = "" if self.iterations is None else f" over {self.iterations} iterations"
            message = f"the forward time it printed is no time: {clean(number, 40)} ms{count}"
            return Failure("truncated", message)
        if not self.caffe:
            return Failure("not_caffe", NOT_CAFFE)
        return Failure("truncated", f"the log ends before the result, {self._stage()}")

    def _stage(self) -> str:
        if self.layers:
            return "within the table of layers"
        if self.times:
            of = "" if self.iterations is None else f" of {self.iterations}"
            return f"after iteration {len(self.times)}{of}"
        if self.begun or self.iterations is not None:
            return "at its first iteration"
        return "after the net was built" if self.net.built else "while the net was being built"


class _Reader:
    """Hands each message to the run it belongs to."""

    def __init__(self) -> None:
        self.run = _Run()
        self.runs: list[_Run] = []

    def take(self, message: Message) -> None:
        """Read one message."""
        text, run = message.text, self.run
        if message.level is not None:
            run.caffe = True
        if run.evidence.look_at(message):
            return
        if message.level is None and run.net.printing:
            run.net.printed(text)
        elif not (self._stage(text) or self._time(text)):
            if message.level is not None:
                self._build(text)
            elif run.used and _SHELL_PROMPT.match(text):
                self._next()

    def finish(self) -> tuple[ParsedLog, ...]:
        """All runs; a last one in which nothing has happened is none."""
        if self.run.used or not self.runs:
            self.runs.append(self.run)
        return tuple(run.parsed() for run in self.runs[-_MAX_RUNS:])

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

    def _stage(self, text: bytes) -> bool:
        """Read a message that says how far the run is."""
        run = self.run
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
            self.run.net.start()
        elif text.startswith(b"Network initialization done"):
            self.run.net.finish()
        elif _NVIDIA.match(text):
            self.run.nvidia = True
        else:
            self.run.net.built_message(text)

    def _next(self) -> None:
        self.runs.append(self.run)
        self.run = _Run()
        self.run.caffe = True


def _value(number: bytes) -> float | None:
    """A time in milliseconds; None for what is none (``-nan``, ``-0``, below zero)."""
    try:
        value = float(number)
    except ValueError:
        return None
    return value if math.isfinite(value) and math.copysign(1.0, value) > 0 else None


def _batch(shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> int | None:
    """The first dimension of the first input of images, else of the first that has one."""
    images = [shape[0] for _, shape in shapes if len(shape) >= _IMAGE_AXES]
    others = [shape[0] for _, shape in shapes if shape]
    return next(iter(images or others), None)
