"""Records of sweeps that nobody has measured: times with a noise that is known."""

from __future__ import annotations

import math
import random
import statistics
from typing import TYPE_CHECKING

from jetbench.domain.board import Board
from jetbench.domain.facts import PowerMode
from jetbench.domain.plan import Options, Plan
from jetbench.domain.record import Record, RecordConditions, Summary, SweepResult

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMES_MS = {"bvlc_alexnet": 12.94, "bvlc_googlenet": 24.64, "vgg16": 91.82, "resnet50": 64.08}
"""The published forward times at batch 1."""


class Noise:
    """The spread between processes: normal, with a few that something else has slowed down.

    Args:
        seed: The same seed, the same noise.
        stdev: Of the normal part, as a part of the time.
        slowed: The share of processes that something else has slowed down.
        by: How much those take longer, as a part of the time: exponential, this is its mean.
    """

    def __init__(self, seed: int, stdev: float, *, slowed: float = 0.0, by: float = 0.0) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - noise, no secret
        self.stdev = stdev
        self.slowed = slowed
        self.by = by

    def times(self, ms: float, count: int) -> list[float]:
        """The times of some processes."""
        return [ms * (1 + self._one()) for _ in range(count)]

    def _one(self) -> float:
        noise = self.draw.gauss(0, self.stdev)
        if self.slowed and self.draw.random() < self.slowed:
            noise += self.draw.expovariate(1 / self.by)
        return noise


def synthetic_record(board: str, model: str, times_ms: Iterable[float]) -> Record:
    """A case with these times, measured well."""
    return Record(
        board=board,
        model=model,
        source=model,
        batch=1,
        phase="TEST",
        stages=(),
        iterations=50,
        gpu=0,
        power_mode=PowerMode(0, "MAXN"),
        clocks_locked=True,
        simulated=True,
        status="ok",
        reasons=(),
        input_shapes=(),
        prototxt_sha256=model,
        forward_ms=_summary(tuple(times_ms)),
        backward_ms=None,
        forward_backward_ms=None,
        layers=(),
        conditions=RecordConditions(),
        bound_ms=None,
        trials=(),
    )


def _summary(times_ms: tuple[float, ...]) -> Summary:
    """What is needed of it, in a tenth of the time that an exact one takes."""
    n = len(times_ms)
    mean = math.fsum(times_ms) / n
    variance = math.fsum((time - mean) ** 2 for time in times_ms) / max(n - 1, 1)
    return Summary(
        n=n,
        median=statistics.median(times_ms),
        mean=mean,
        min=min(times_ms),
        max=max(times_ms),
        stdev=math.sqrt(variance) if n > 1 else None,
        ci95=None,
        values=times_ms,
    )


def synthetic_sweep(boards: int, repeats: int, noise: Noise, slowdown: float = 0.0) -> SweepResult:
    """The published models on some boards, all of one kind and all slower by a part."""
    names = [f"board-{number}" for number in range(1, boards + 1)]
    return SweepResult(
        plan=Plan(
            sweep_id="20260102-030405-a1b2c3",
            created_utc="2026-01-02T03:04:05Z",
            command=("jetbench", "run"),
            options=Options(repeats=repeats),
            boards=tuple(Board(name, name) for name in names),
            cases=(),
            trials=(),
        ),
        started_utc="2026-01-02T03:04:05Z",
        finished_utc="2026-01-02T03:14:05Z",
        jetbench="0",
        boards=(),
        records=tuple(
            synthetic_record(name, model, noise.times(ms * (1 + slowdown), repeats))
            for name in names
            for model, ms in TIMES_MS.items()
        ),
    )
