"""What a log of ``caffe time`` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FailureKind = Literal[
    "out_of_memory",
    "cuda",
    "no_gpu",
    "no_such_file",
    "bad_model",
    "missing_library",
    "killed",
    "interrupted",
    "timeout",
    "truncated",
    "crashed",
    "not_caffe",
]
"""The kinds of failure that the contract names."""

Fork = Literal["bvlc", "ssd", "nvidia", "intel"]

Statistic = Literal["average", "minimum"]
"""What a printed time is over the iterations; Intel's preview prints minima."""


@dataclass(frozen=True, slots=True)
class LayerTiming:
    """One layer's line pair of the table; None where its number is missing or no number."""

    name: str
    """As the table has it."""
    type: str | None
    """As the printed net has it; None where the log does not hold the net."""
    forward_ms: float | None
    """The mean over the iterations."""
    backward_ms: float | None
    """The mean over the iterations."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no measurement."""

    kind: FailureKind
    """In a word that a script can rely on."""
    message: str
    """One line, safe for a terminal."""


@dataclass(frozen=True, slots=True)
class ParsedLog:
    """One run of ``caffe time``. What the log does not say is None or empty."""

    forward_ms: float | None = None
    """For one pass over the whole batch, timers of the layers included."""
    backward_ms: float | None = None
    """The same, backwards."""
    forward_backward_ms: float | None = None
    """One iteration: both passes."""
    total_ms: float | None = None
    """All iterations, and the logging of the table."""
    iterations: int | None = None
    """How many the log says."""
    batch: int | None = None
    """The first dimension of the first input of images."""
    input_shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    phase: Literal["TEST", "TRAIN"] | None = None
    """The phase of the net in the log."""
    fork: Fork | None = None
    """Only where something in the log belongs to one fork alone."""
    gpu: bool | None = None
    """Whether it ran on a GPU."""
    layers: tuple[LayerTiming, ...] = ()
    """Each line pair of the table, in its order."""
    iteration_ms: tuple[float, ...] = ()
    """Forward and backward of each iteration that was logged, the first 10,000."""
    statistic: Statistic = "average"
    """What a time is over the iterations; Intel's preview prints minima."""
    window: tuple[float, float] | None = None
    """When the iterations began and ended, by the log's own clock: local time, in seconds since
    the start of a leap year. The first is the later one where a new year began between them."""
    complete: bool = False
    """Whether the run came to its end with a forward time that is one."""
    failure: Failure | None = None
    """None exactly where `complete` is true."""
