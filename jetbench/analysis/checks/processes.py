"""Do the processes of a case agree? The first ones, single ones, all, and their mean.

Two rules tell what is far from what, and either is enough:

- Student's t of a prediction: ``|x - m| / (s √(1/k + 1/r))`` for the mean x of k processes and
  mean m, standard deviation s of the r others (of a single one this is the test of Grubbs,
  1950, in the form of Thompson, 1935). It needs no knowledge of the board, and with few others
  it sees next to nothing: with three processes in all, t must be above 600.
- The same with `NOISE` for s. Processes of an undisturbed board spread by less than that, so
  that a process 14 % away from two that agree is far from them. It holds only where the others
  spread by no more than `SPREAD`.

With 3 or 4 processes next to nothing is found but by the second rule: where the noise is 0.4 %,
what is 14 % away is found with 3 processes, 9 % with 6 (in 95 % of cases), 5 % with 10. What is
nearer is left to `spread`, or is no more than may happen.

False alarms on 5,000 simulated cases of normal noise of 3 % for each number of processes from 3
to 10, those aside that spread by more than 5 %: outlier 0.16 % (0.24 % for the worst number),
first_trials 0.12 % (0.18 %), these and temperature together 0.40 % (0.60 %). With less noise
there are fewer.
"""

from __future__ import annotations

import math
import statistics
from statistics import NormalDist
from typing import TYPE_CHECKING

from jetbench.analysis.checks.clue import Clue, explained, forward_times, percent, trials_text
from jetbench.analysis.statistics import quantile_t, summarize
from jetbench.domain.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.domain.evidence import CaseEvidence

SPREAD = 0.05
"""Standard deviation over mean: the contract's limit."""
NOISE = 0.03
"""How much, at most, processes spread on a board that nothing disturbs: 0.4 % with locked
clocks, 2.5 % with the governor's."""
EFFECT = 0.02
"""What matters: what is nearer is no reason to measure again, however sure it is."""
OUTLIER_CHANCE = 0.001
"""That one of the two rules calls any process of a clean case an outlier, by design."""
FIRST_CHANCE = 0.0005
"""The same for the first processes."""
MOST_FIRST = 3
"""How many first processes are looked at: a board that takes longer to warm up drifts."""
MIN_REST = 2
"""With fewer others there is nothing to compare with."""

_Times = list[tuple[int, float]]
"""Place and time in ms."""


def first_trials(evidence: CaseEvidence, clues: Sequence[Clue]) -> Iterator[Clue]:
    """The first processes of the case are not slower than all others.

    They are where each of the first k is slower than each of the rest, and their mean is far
    from it. Of several k the one that stands out most counts.
    """
    times = forward_times(evidence, explained(clues))
    every = forward_times(evidence)
    if not times or times[0] != every[0]:
        # What is known to be wrong with the very first one is said already.
        return
    most = min(MOST_FIRST, len(times) // 2, len(times) - MIN_REST)
    best, best_count = 1.0, 0
    for count in range(1, most + 1):
        first, rest = [ms for _, ms in times[:count]], [ms for _, ms in times[count:]]
        if min(first) <= max(rest) or _effect(first, rest) <= EFFECT:
            continue
        sureness = _sureness(first, rest, FIRST_CHANCE / most)
        if sureness > best:
            best, best_count = sureness, count
    if best_count:
        places = frozenset(place for place, _ in times[:best_count])
        first_ms = statistics.fmean(ms for _, ms in times[:best_count])
        rest_ms = statistics.fmean(ms for _, ms in times[best_count:])
        text = (
            f"{trials_text(places, evidence)} took {first_ms:.4g} ms, the later ones "
            f"{rest_ms:.4g} ms: {percent(first_ms / rest_ms - 1)} slower"
        )
        advice = f"warm the board up with --warm-up {evidence.options.warm_ups + best_count}"
        yield Clue(Finding("first_trials", text, advice), places)


def outlier(evidence: CaseEvidence, clues: Sequence[Clue]) -> Iterator[Clue]:
    """No process is far from all others: see the module for what can be seen with few."""
    times = forward_times(evidence, explained(clues))
    if len(times) < MIN_REST + 1:
        return
    middle = statistics.median(ms for _, ms in times)
    place, odd_ms = max(times, key=lambda time: abs(time[1] - middle))
    rest = [ms for other, ms in times if other != place]
    chance = OUTLIER_CHANCE / (2 * len(times))
    if abs(_effect([odd_ms], rest)) <= EFFECT or _sureness([odd_ms], rest, chance) <= 1:
        return
    text = (
        f"{trials_text([place], evidence)} took {odd_ms:.4g} ms, "
        f"the others {min(rest):.4g} to {max(rest):.4g} ms"
    )
    advice = "look at its raw log (jetbench results log), and measure again with more --repeats N"
    yield Clue(Finding("outlier", text, advice), frozenset([place]))


def spread(evidence: CaseEvidence, clues: Sequence[Clue]) -> Iterator[Clue]:
    """The processes spread by no more than 5 % of their mean."""
    times = forward_times(evidence, explained(clues))
    summary = summarize([ms for _, ms in times])
    if summary is None or summary.spread is None or summary.spread <= SPREAD:
        return
    text = (
        f"{len(times)} processes spread by {percent(summary.spread)} "
        f"({summary.min:.4g} to {summary.max:.4g} ms)"
    )
    if evidence.locked is True:
        advice = "see what else runs there (boards check), and measure again with more --repeats N"
    else:
        advice = "lock the clocks with --clocks, or measure with more --repeats N"
    yield Clue(Finding("spread", text, advice), frozenset(place for place, _ in times))


def precision(evidence: CaseEvidence, _: Sequence[Clue]) -> Iterator[Clue]:
    """The 95 % interval of the mean is as narrow as ``--precision`` asks for.

    It is the interval that the record shows: of all processes that have a number.
    """
    asked = evidence.options.precision
    summary = summarize([ms for _, ms in forward_times(evidence)])
    if asked is None or summary is None:
        return
    if summary.ci95 is None or summary.spread is None:
        text = f"a single process has no interval, asked was one of ± {percent(asked)}"
        yield Clue(Finding("precision", text, "measure with more --repeats N"))
        return
    achieved = (summary.ci95[1] - summary.ci95[0]) / 2 / summary.mean
    if achieved <= asked:
        return
    text = (
        f"the mean of {summary.n} processes is known to ± {percent(achieved)}, "
        f"asked was ± {percent(asked)}"
    )
    advice = f"accept --precision {math.ceil(achieved * 1000) / 10:g}"
    if asked > 0:
        # n = (1.96 s / h)², of the normal distribution: some more where it is small.
        needed = math.ceil((NormalDist().inv_cdf(0.975) * summary.spread / asked) ** 2) + 2
        advice = f"measure with --repeats {max(needed, summary.n + 1)} or so, or {advice}"
    yield Clue(Finding("precision", text, advice))


def _effect(some: Sequence[float], rest: Sequence[float]) -> float:
    """How much longer some took than the rest, as a part of it."""
    return statistics.fmean(some) / statistics.fmean(rest) - 1


def _sureness(some: Sequence[float], rest: Sequence[float], chance: float) -> float:
    """How far the mean of some is from the rest, in units of what is far enough.

    Above 1 it is far by at least one of the module's two rules.

    Args:
        some: One or more times.
        rest: Two or more.
        chance: One-sided, for each rule.
    """
    mean, stdev = statistics.fmean(rest), statistics.stdev(rest)
    distance = abs(statistics.fmean(some) - mean)
    if distance == 0:
        return 0.0
    factor = math.sqrt(1 / len(some) + 1 / len(rest))
    limit = quantile_t(1 - chance, len(rest) - 1) * stdev * factor
    if stdev <= SPREAD * mean:
        limit = min(limit, NormalDist().inv_cdf(1 - chance) * NOISE * mean * factor)
    return distance / limit if limit > 0 else math.inf
