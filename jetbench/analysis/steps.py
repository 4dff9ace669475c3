"""Steps and drifts in a series of nights.

The times are taken as logarithms, so that a step is a ratio. In this order:

1. The noise is 1.4826 times the median of the absolute differences of neighbours, over √2: a few
   steps and lone nights do not move it. It is never taken below `LEAST_NOISE`: what is smaller
   than that is dust. Above `MOST_NOISE` nothing is said.
2. A night that lies far from the median of the three before it and of the three after it, on the
   same side of both, stands alone, and is set aside.
3. Four models are fitted: level, levels with steps, line, line with steps. Steps are found by
   `ruptures` (PELT, the least squares about the levels of segments of `LEAST_NIGHTS` nights or
   more, with `PENALTY` times the noise's variance times ln n for each). The model with the least
   Bayesian information criterion is taken: a slow drift needs many steps and one slope.
4. Steps of less than `THRESHOLD`, those that Welch's test finds no reason for, and those of less
   than `SURE` standard errors by the noise of the whole series (three nights can be close together
   by accident) are taken out again, the smallest first. So is a drift that is no surer, or
   comes to less than `THRESHOLD` in all.

PELT: Killick, Fearnhead, Eckley, "Optimal detection of changepoints with a linear computational
cost", JASA 107 (2012). How often it is right: docs/explanation/history.md, by
benchmarks/bench_steps.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

from jetbench.analysis.compare import THRESHOLD
from jetbench.analysis.statistics import margin95, two_sided_p
from jetbench.domain.trend import Step, Trend

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_NIGHTS = 3
"""A step is one when it has lasted so long."""
ENOUGH_NIGHTS = 8
"""With a number; fewer say nothing of steps."""
LEAST_NOISE = 0.002
MOST_NOISE = 0.10
SIGNIFICANCE = 0.01
"""Of Welch's test of the nights before against those after a step."""
PENALTY = 4.0
SURE = 4.5
"""Standard errors, by the noise of the whole series: the place of a step was searched for."""
FAR = 4.0
"""From its neighbours, in units of the noise: a night that stands alone."""

_STEP_PARAMETERS = 3
"""Of the information criterion: a level, a place, and the search for it."""
_MAD = 1.4826
"""From the median absolute deviation of a normal distribution to its standard deviation."""
_ROUNDS = 4
"""Slope and steps, in turn; they settle after two."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """A model of a series, in logarithms."""

    starts: tuple[int, ...]
    """Of the segments; the first is 0."""
    levels: tuple[float, ...]
    slope: float
    """A day."""
    sloping: bool
    squares: float
    """The sum of what is left."""

    def criterion(self, nights: int) -> float:
        """Bayesian, the less the better; what is below the least noise is dust."""
        parameters = 1 + self.sloping + _STEP_PARAMETERS * (len(self.starts) - 1)
        variance = max(self.squares / nights, LEAST_NOISE**2)
        return nights * math.log(variance) + parameters * math.log(nights)


def find_trend(times_ms: Sequence[float | None], days: Sequence[float]) -> Trend:
    """What is in a series.

    Args:
        times_ms: One a night, the oldest first; None for a night without a number.
        days: When each night was, in days since any time; they never go back.
    """
    gaps = tuple(place for place, time in enumerate(times_ms) if time is None or time <= 0)
    known = [(place, time) for place, time in enumerate(times_ms) if time is not None and time > 0]
    if len(known) < ENOUGH_NIGHTS:
        return Trend("too few", None, gaps=gaps)
    logs = [math.log(time) for _, time in known]
    measured = _noise(logs)
    if measured > MOST_NOISE:
        return Trend("too noisy", measured, gaps=gaps)
    noise = max(measured, LEAST_NOISE)
    alone = _standing_alone(logs, noise)
    kept = [number for number in range(len(logs)) if number not in alone]
    values = [logs[number] for number in kept]
    when = [days[known[number][0]] - days[known[0][0]] for number in kept]
    fit = _best(values, when, noise)
    steps = tuple(
        replace(
            step,
            at=known[kept[step.at]][0],
            last_before=known[kept[step.last_before]][0],
        )
        for step in _steps(fit, values, when)
    )
    span = when[-1] - when[0]
    in_all = math.expm1(fit.slope * span)
    drifts = fit.sloping and abs(in_all) >= THRESHOLD
    return Trend(
        verdict="changed" if steps or drifts else "steady",
        noise=measured,
        steps=steps,
        drift_a_day=math.expm1(fit.slope) if drifts else None,
        drift_in_all=in_all if drifts else None,
        outliers=tuple(known[number][0] for number in sorted(alone)),
        gaps=gaps,
    )


def night_noise(times_ms: Sequence[float | None]) -> float | None:
    """The standard deviation from night to night, as a part of the time.

    Args:
        times_ms: One a night, in their order; steps and lone nights among them do not move it.

    Returns:
        None for fewer than `ENOUGH_NIGHTS` with a number.
    """
    logs = [math.log(time) for time in times_ms if time is not None and time > 0]
    return _noise(logs) if len(logs) >= ENOUGH_NIGHTS else None


def _noise(logs: Sequence[float]) -> float:
    differences = [abs(after - before) for before, after in pairwise(logs)]
    return _MAD * median(differences) / math.sqrt(2)


def _standing_alone(logs: Sequence[float], noise: float) -> frozenset[int]:
    """Nights that are far from both sides. The first and the last ones have one side only."""
    far = max(FAR * noise, math.log1p(THRESHOLD))
    alone = set()
    for place in range(1, len(logs) - 1):
        before = logs[max(place - LEAST_NIGHTS, 0) : place]
        after = logs[place + 1 : place + 1 + LEAST_NIGHTS]
        off = logs[place] - median(before), logs[place] - median(after)
        if min(off) > far or max(off) < -far:
            alone.add(place)
    return frozenset(alone)


def _best(values: Sequence[float], when: Sequence[float], noise: float) -> _Fit:
    """The model that says most with least."""
    level = _fitted(values, when, (0,), sloping=False)
    line = _fitted(values, when, (0,), sloping=True)
    steps = _fitted(values, when, _starts(values, noise), sloping=False)
    both = line
    for _ in range(_ROUNDS):
        rest = [value - both.slope * day for value, day in zip(values, when, strict=True)]
        both = _fitted(values, when, _starts(rest, noise), sloping=True)
    fits = [_thinned(fit, values, when, noise) for fit in (level, steps, line, both)]
    sure = [fit for fit in fits if not fit.sloping or _is_sure(fit, values, when, noise)]
    return min(sure, key=lambda fit: fit.criterion(len(values)))


def _is_sure(fit: _Fit, values: Sequence[float], when: Sequence[float], noise: float) -> bool:
    """Whether a slope is no accident, by the noise of the whole series."""
    ends = [*fit.starts, len(values)]
    down = 0.0
    for begin, end in pairwise(ends):
        day = fmean(when[begin:end])
        down += math.fsum((each - day) ** 2 for each in when[begin:end])
    return abs(fit.slope) * math.sqrt(down) > SURE * noise


def _starts(values: Sequence[float], noise: float) -> tuple[int, ...]:
    """Where segments begin, by PELT."""
    # As long as all else of a command takes together: only where steps are looked for.
    import numpy as np  # noqa: PLC0415 - see above
    from ruptures import KernelCPD  # noqa: PLC0415 - see above

    if len(values) < 2 * LEAST_NIGHTS:
        return (0,)
    penalty = PENALTY * noise**2 * math.log(len(values))
    # About their middle: the algorithm takes differences of sums of squares.
    middle = fmean(values)
    signal = np.array([[value - middle] for value in values])
    ends = KernelCPD(kernel="linear", min_size=LEAST_NIGHTS).fit(signal).predict(pen=penalty)
    return (0, *(int(end) for end in ends[:-1]))


def _fitted(
    values: Sequence[float], when: Sequence[float], starts: Sequence[int], *, sloping: bool
) -> _Fit:
    """Least squares: a level for each segment, and one slope for all."""
    pieces = list(zip(starts, [*starts[1:], len(values)], strict=True))
    slope = 0.0
    if sloping:
        # Within segments only, so that a step is no slope.
        across = down = 0.0
        for begin, end in pieces:
            day, value = fmean(when[begin:end]), fmean(values[begin:end])
            down += math.fsum((each - day) ** 2 for each in when[begin:end])
            across += math.fsum(
                (each - day) * (one - value)
                for each, one in zip(when[begin:end], values[begin:end], strict=True)
            )
        slope = across / down if down > 0 else 0.0
    rest = [value - slope * day for value, day in zip(values, when, strict=True)]
    levels = tuple(fmean(rest[begin:end]) for begin, end in pieces)
    squares = math.fsum(
        (one - level) ** 2
        for level, (begin, end) in zip(levels, pieces, strict=True)
        for one in rest[begin:end]
    )
    return _Fit(tuple(starts), levels, slope, sloping, squares)


def _thinned(fit: _Fit, values: Sequence[float], when: Sequence[float], noise: float) -> _Fit:
    """Without the steps that do not matter or could be an accident, the smallest first."""
    while len(fit.starts) > 1:
        ends = [*fit.starts, len(values)]
        weak = []
        for number in range(1, len(fit.starts)):
            size = abs(fit.levels[number] - fit.levels[number - 1])
            counts = (ends[place + 1] - ends[place] for place in (number - 1, number))
            usual = noise * math.sqrt(sum(1 / count for count in counts))
            if (
                size < max(math.log1p(THRESHOLD), SURE * usual)
                or _p(fit, number, values, when) >= SIGNIFICANCE
            ):
                weak.append((size, number))
        if not weak:
            break
        _, number = min(weak)
        starts = (*fit.starts[:number], *fit.starts[number + 1 :])
        fit = _fitted(values, when, starts, sloping=fit.sloping)
    return fit


def _steps(fit: _Fit, values: Sequence[float], when: Sequence[float]) -> list[Step]:
    steps = []
    for number in range(1, len(fit.starts)):
        start = fit.starts[number]
        log_ratio = fit.levels[number] - fit.levels[number - 1]
        error, freedom = _error(fit, number, values, when)
        margin = margin95(error, freedom)
        # A level is that of the night of the step: with a drift it is another one each night.
        drifted = fit.slope * when[start]
        steps.append(
            Step(
                at=start,
                last_before=start - 1,
                before_ms=math.exp(fit.levels[number - 1] + drifted),
                after_ms=math.exp(fit.levels[number] + drifted),
                ratio=math.exp(log_ratio),
                ratio_ci95=(math.exp(log_ratio - margin), math.exp(log_ratio + margin)),
            )
        )
    return steps


def _p(fit: _Fit, number: int, values: Sequence[float], when: Sequence[float]) -> float:
    """Of no step where this one is."""
    error, freedom = _error(fit, number, values, when)
    return two_sided_p((fit.levels[number] - fit.levels[number - 1]) / error, freedom)


def _error(
    fit: _Fit, number: int, values: Sequence[float], when: Sequence[float]
) -> tuple[float, float]:
    """The standard error of a step, and its degrees of freedom, after Welch.

    A segment's variance is never taken below that of dust: three nights can be equal by accident.
    """
    ends = [*fit.starts, len(values)]
    parts = []
    for place in (number - 1, number):
        begin, end = ends[place], ends[place + 1]
        rest = [
            value - fit.slope * day - fit.levels[place]
            for value, day in zip(values[begin:end], when[begin:end], strict=True)
        ]
        count = end - begin
        variance = math.fsum(one**2 for one in rest) / (count - 1)
        parts.append((max(variance, LEAST_NOISE**2) / count, count))
    total = sum(part for part, _ in parts)
    freedom = total**2 / sum(part**2 / (count - 1) for part, count in parts)
    return math.sqrt(total), freedom
