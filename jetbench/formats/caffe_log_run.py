"""What a log says of one run of ``caffe time``: collected line by line, then made a value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from jetbench.domain.timing import Failure, LayerTiming, ParsedLog
from jetbench.formats.caffe_log_failure import Evidence, not_caffe
from jetbench.formats.caffe_log_lines import clean
from jetbench.formats.caffe_log_net import SetUp
from jetbench.formats.glog import glog_time

if TYPE_CHECKING:
    from jetbench.domain.timing import Fork, Statistic
    from jetbench.formats.caffe_log_net import NetReader

MAX_ITERATION_TIMES = 10_000
MAX_LAYERS = 10_000
_IMAGE_AXES = 4
_NAME_LENGTH = 300
_NAME_BYTES = 4 * _NAME_LENGTH
_DIGITS = 100
"""A number has fewer."""
_MAX_COUNT = 1e9
_ENDLESS_MS = 1e12
"""Thirty years."""
_SLACK = 0.01
"""How far a total may be from a multiple of the mean: it holds the logging of the table."""


class Run:
    """What has been read of one run."""

    def __init__(self, head: bytes = b"") -> None:
        self.head = head
        """How the log begins."""
        self.set_up = SetUp()
        self.evidence = Evidence()
        self.results: dict[bytes, bytes] = {}
        """The numbers behind the table, as they are printed."""
        self.statistic: Statistic = "average"
        self.whole = False
        """Whether times are sums over the iterations, as the tool of 2014 prints them."""
        self.iterations: int | None = None
        self.begun = False
        self.begin_stamp = b""
        """When the iterations began, by glog's clock."""
        self.end_stamp = b""
        self.caffe = False
        self.gpu: bool | None = None
        self.nvidia = False
        self.times: list[float] = []
        self.iterated = 0
        self.layers: dict[bytes, dict[bytes, bytes]] = {}
        """For each name the numbers of both directions, as they are printed."""

    @property
    def used(self) -> bool:
        """Whether there is anything in it that a second run could be mixed with.

        The announced iterations are not: the tool of 2014 names them before the device.
        """
        return bool(
            self.begun or self.results or self.evidence or self.set_up.begun or self.layers
        )

    @property
    def complete(self) -> bool:
        """Whether it came to its end with a forward time that is one."""
        count = self._count()
        return bool(self._result(b"Forward pass")) and (count is None or count > 0)

    def iteration(self, number: bytes) -> None:
        """Keep the time of one iteration."""
        self.caffe = True
        self.iterated += 1
        if self.iterated <= MAX_ITERATION_TIMES and (value := _value(number)) is not None:
            self.times.append(value)

    def layer(self, name: bytes, direction: bytes, number: bytes) -> None:
        """Keep a line of the table of layers."""
        self.caffe = True
        key = name[:_NAME_BYTES]
        if key in self.layers or len(self.layers) < MAX_LAYERS:
            self.layers.setdefault(key, {})[direction] = number if len(number) < _DIGITS else b""

    def result(self, statistic: bytes | None, name: bytes, number: bytes) -> None:
        """Keep one of the lines behind the table."""
        self.caffe = True
        self.results[name] = number
        if statistic == b"Min":
            self.statistic = "minimum"
        elif statistic is None and name.endswith(b"pass"):
            self.whole = True

    def parsed(self) -> ParsedLog:
        """The run as a value."""
        complete = self.complete
        net = self.set_up.read()
        shapes = net.input_shapes()
        return ParsedLog(
            forward_ms=self._result(b"Forward pass") if complete else None,
            backward_ms=self._result(b"Backward pass") if complete else None,
            forward_backward_ms=self._total(b"Forward-Backward") if complete else None,
            total_ms=self._total(b"Total Time") if complete else None,
            iterations=self._count(),
            batch=_batch(shapes),
            input_shapes=shapes,
            phase=net.phase,
            fork=self._fork(net),
            gpu=self.gpu,
            layers=tuple(self._layer(net, *layer) for layer in self.layers.items()),
            iteration_ms=tuple(self.times),
            statistic=self.statistic,
            window=self._window(),
            complete=complete,
            failure=None if complete else self._failure(net),
        )

    def _layer(self, net: NetReader, name: bytes, numbers: dict[bytes, bytes]) -> LayerTiming:
        shown = clean(name, _NAME_LENGTH)
        forward, backward = (self._mean(numbers.get(way)) for way in (b"forward", b"backward"))
        return LayerTiming(shown, net.type_of(shown), forward, backward)

    def _total(self, name: bytes) -> float | None:
        return _value(self.results.get(name))

    def _result(self, name: bytes) -> float | None:
        return self._mean(self.results.get(name))

    def _mean(self, number: bytes | None) -> float | None:
        value = _value(number)
        if value is None or not self.whole:
            return value
        return value / self.iterations if self.iterations and self.iterations > 0 else None

    def _window(self) -> tuple[float, float] | None:
        begin, end = (
            glog_time(stamp.decode("ascii")) for stamp in (self.begin_stamp, self.end_stamp)
        )
        return None if begin is None or end is None else (begin, end)

    def _count(self) -> int | None:
        """Iterations as announced; else what the total holds of the mean, where that is whole."""
        total, both = self._total(b"Total Time"), self._total(b"Forward-Backward")
        if self.iterations is not None or not total or not both or self.statistic == "minimum":
            return self.iterations
        count = total / both
        near = count < _MAX_COUNT and abs(count - round(count)) < _SLACK * count
        return round(count) if near else None

    def _fork(self, net: NetReader) -> Fork | None:
        if self.nvidia:
            return "nvidia"
        return "intel" if self.statistic == "minimum" else net.fork()

    def _failure(self, net: NetReader) -> Failure:
        if found := self.evidence.failure():
            return found
        if number := self.results.get(b"Forward pass"):
            count = "" if self.iterations is None else f" over {self.iterations} iterations"
            message = f"the forward time it printed is no time: {clean(number, 40)} ms{count}"
            return Failure("truncated", message)
        if not self.caffe:
            return not_caffe(self.head)
        return Failure("truncated", f"the log ends before the result, {self._stage(net)}")

    def _stage(self, net: NetReader) -> str:
        if self.layers:
            return "within the table of layers"
        if self.iterated:
            of = "" if self.iterations is None else f" of {self.iterations}"
            return f"after iteration {self.iterated}{of}"
        if self.begun or self.iterations is not None:
            return "at its first iteration"
        return "after the net was built" if net.built else "while the net was being built"


def _value(number: bytes | None) -> float | None:
    """A time in milliseconds; None for what is none (``-nan``, ``-0``, below zero, 1e308)."""
    try:
        value = float(number or b"")
    except ValueError:
        return None
    return value if math.copysign(1.0, value) > 0 and value < _ENDLESS_MS else None


def _batch(shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> int | None:
    """The first dimension of the first input of images, else of the first that has one."""
    images = [shape[0] for _, shape in shapes if len(shape) >= _IMAGE_AXES]
    others = [shape[0] for _, shape in shapes if shape]
    return next(iter(images or others), None)
