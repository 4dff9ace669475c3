"""Does the time depend on how warm things are? The board before a trial, and a trial's start."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from jetbench.analysis.checks.clue import (
    Clue,
    explained,
    good_trials,
    percent,
    trials_text,
)
from jetbench.domain.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.domain.evidence import CaseEvidence
    from jetbench.domain.timing import ParsedLog

RANGE_C = 10.0
"""Between the coldest start and the warmest: less does not change what silicon draws enough to
be seen in its times."""
EFFECT = 0.02
"""Of the time, the warmest against the coldest: as for other differences of processes."""
MIN_TRIALS = 5
"""With 4 any order comes up in one case of 24."""
_RHO = {5: 1.0, 6: 1.0, 7: 0.92}
"""By the number of trials: what Spearman's rank correlation reaches by chance in less than 0.5 %
of all orders (1/720 for 6; 17/5040 for 7, whose steps are 0.893 and 0.929), and of five trials
the least that they can say: one order of 120."""
RHO = 0.9
"""The same for 8 and more: 0.23 % for 8, less beyond."""

SLOWER = 0.2
"""By which an iteration is unlike the rest. Ordinary ones differ by some per cent."""
MEAN_EFFECT = 0.01
"""On the mean of a process: below it the first iterations do not matter."""
MIN_ITERATIONS = 10
MOST_FIRST = 0.25
"""Of all iterations: what is slow for longer is no start."""
WHOLE_MS = 2.0
"""On the CPU Caffe's clock counts whole milliseconds: two readings may differ by almost as much
where nothing does."""
LOWER_SHARE = 0.9
"""Of the later iterations that a first one is to be slower than. Not of all, because one
hiccup among them is none of the first iterations' doing."""


def temperature(evidence: CaseEvidence, clues: Sequence[Clue]) -> Iterator[Clue]:
    """Trials that began warmer did not take longer.

    By Spearman's rank correlation of the GPU's temperature at the start and the forward time.
    False alarms on normal noise of 3 % and starts anywhere between 38 and 52 °C, 5,000
    simulated cases for each number of trials from 5 to 10: 0.16 %, and 0.35 % with 5.
    """
    seen = [
        (good.place, good.trial.before.gpu_temp_c, good.log.forward_ms)
        for good in good_trials(evidence, explained(clues))
        if good.trial.before.gpu_temp_c is not None and good.log.forward_ms
    ]
    if len(seen) < MIN_TRIALS:
        return
    starts_c = [temp_c for _, temp_c, _ in seen]
    times_ms = [time_ms for _, _, time_ms in seen]
    low_c, high_c = min(starts_c), max(starts_c)
    if high_c - low_c <= RANGE_C:
        return
    cold_ms = _mean_at(low_c, starts_c, times_ms)
    warm_ms = _mean_at(high_c, starts_c, times_ms)
    rho = _rank_correlation(starts_c, times_ms)
    if warm_ms / cold_ms - 1 <= EFFECT or rho < _RHO.get(len(seen), RHO) - _ROUNDING:
        return
    text = (
        f"trials took the longer the warmer the GPU was when they began: "
        f"{cold_ms:.4g} ms at {low_c:.3g} °C, {warm_ms:.4g} ms at {high_c:.3g} °C"
    )
    advice = "let every trial begin alike: a lower --cooldown C, or a longer --warm-up N"
    yield Clue(Finding("temperature", text, advice), frozenset(place for place, _, _ in seen))


_ROUNDING = 1e-9
"""A correlation of 1 may come out a little lower."""


def _mean_at(start_c: float, starts_c: Sequence[float], times_ms: Sequence[float]) -> float:
    return statistics.fmean(
        time_ms for temp_c, time_ms in zip(starts_c, times_ms, strict=True) if temp_c == start_c
    )


def _rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's rho (1904): Pearson's correlation of the ranks; 0 where one does not vary."""
    a, b = _ranks(one), _ranks(other)
    middle = (len(a) + 1) / 2
    both = math.fsum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    spread_a = math.fsum((x - middle) ** 2 for x in a)
    spread_b = math.fsum((y - middle) ** 2 for y in b)
    return both / math.sqrt(spread_a * spread_b) if spread_a and spread_b else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal values share the mean of their ranks."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def first_iterations(evidence: CaseEvidence, clues: Sequence[Clue]) -> Iterator[Clue]:
    """The first iterations do not take longer than the rest, in most processes.

    Caffe runs one pass before it times any; what a GPU or a cache still lacks after it makes
    every mean too long, and by the less the more iterations there are.
    """
    logs = {
        good.place: good.log
        for good in good_trials(evidence, explained(clues))
        if len(good.log.iteration_ms) >= MIN_ITERATIONS
    }
    slow = {place: start for place, log in logs.items() if (start := _slow_start(log)) is not None}
    if not slow or 2 * len(slow) <= len(logs):
        return
    count = statistics.median_low([count for count, _, _ in slow.values()])
    first_ms = statistics.median([first for _, first, _ in slow.values()])
    rest_ms = statistics.median([rest for _, _, rest in slow.values()])
    excess = count * (first_ms / rest_ms - 1)
    iterations = evidence.options.iterations
    which = "the first iteration" if count == 1 else f"the first {count} iterations"
    text = (
        f"{trials_text(frozenset(slow), evidence)}: {which} took {first_ms:.4g} ms, the rest "
        f"{rest_ms:.4g} ms, which makes the mean {percent(excess / iterations)} longer"
    )
    # As many as make the excess weigh 1 %, rounded up to tens.
    enough = max(10 * math.ceil(excess / MEAN_EFFECT / 10), iterations + 10)
    yield Clue(Finding("first_iterations", text, f"measure with --iterations {enough}"))


def _slow_start(log: ParsedLog) -> tuple[int, float, float] | None:
    """How many iterations are slow at first, their mean time, and that of a usual one, in ms."""
    times = log.iteration_ms
    rest_ms = statistics.median(times[len(times) // 2 :])
    if rest_ms <= 0:
        return None
    margin_ms = SLOWER * rest_ms
    if all(time_ms.is_integer() for time_ms in times):
        margin_ms = max(margin_ms, WHOLE_MS)
    most = int(MOST_FIRST * len(times))
    count = next(
        (n for n, time_ms in enumerate(times) if time_ms - rest_ms <= margin_ms), len(times)
    )
    if not 0 < count <= most:
        return None
    first, later = times[:count], sorted(times[count:])
    if min(first) <= later[int(LOWER_SHARE * len(later))]:
        return None
    mean_ms = statistics.fmean(first)
    iterations = max(log.iterations or 0, len(times))
    if count * (mean_ms - rest_ms) <= MEAN_EFFECT * rest_ms * iterations:
        return None
    return count, mean_ms, rest_ms
