"""What a board's sensors said in a stretch of time: numbers in, their sums and extremes out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from operator import attrgetter
from statistics import fmean
from typing import TYPE_CHECKING

from jetbench.domain.record import RecordConditions
from jetbench.domain.telemetry import Telemetry
from jetbench.formats.glog import LEAP_DAY_S, YEAR_S, glog_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jetbench.domain.evidence import TrialEvidence
    from jetbench.domain.telemetry import Sample

    _Point = tuple[float, float]
    """Uptime in seconds, power in watts."""

_CLOCK_SLACK_S = 1.0
"""How far a window may reach beyond its trial: clocks are read one after the other."""
_FAR_S = 2.0
"""Samples further than this from a window without samples say nothing of it."""
_LONGEST_GAP_S = 5.0
"""Ten times as long as from one sample to the next: then the sampler has died, or was starved."""
_DAY_S = 86_400.0


def to_uptime(
    window: tuple[float, float] | None,
    started_local: str | None,
    started_up_s: float | None,
    ended_up_s: float | None,
) -> tuple[float, float] | None:
    """A log's window by the board's uptime, which is what telemetry is dated with.

    Args:
        window: Of a log, by its own clock, as in `ParsedLog.window`.
        started_local: The board's local time when the trial began, as `glog_time` reads it.
        started_up_s: The uptime of the same moment.
        ended_up_s: The uptime when the trial was over.

    Returns:
        Begin and end; None where one of the arguments is, and where the window does not lie
        within the trial: then the board's clock was set while it ran.
    """
    start = glog_time(started_local or "")
    if window is None or start is None or started_up_s is None or ended_up_s is None:
        return None
    earliest, latest = started_up_s - _CLOCK_SLACK_S, ended_up_s + _CLOCK_SLACK_S
    for begin_s, end_s in zip(*(passed(start, local) for local in window), strict=True):
        begin, end = started_up_s + begin_s, started_up_s + end_s
        if earliest <= begin <= end <= latest:
            return begin, end
    return None


def passed(start: float, local: float) -> tuple[float, float]:
    """Seconds from one `glog_time` to another: in a leap year, and in one that is none."""
    seconds = (local - start + YEAR_S / 2) % YEAR_S - YEAR_S / 2
    over_february = start < LEAP_DAY_S <= start + seconds
    return seconds, seconds - _DAY_S if over_february else seconds


def summarize_samples(
    samples: Iterable[Sample], from_up_s: float, to_up_s: float
) -> Telemetry | None:
    """What the samples of a stretch of time add up to.

    Power is taken to go in a straight line from sample to sample, also from the last one before
    the stretch and to the first one behind it, and to stay as it is where there is none; energy
    is the integral of it (trapezoid rule), and mean power is energy by time. Neither is known
    where nothing was said for more than 5 s. All else is of the samples within alone.

    Args:
        samples: In any order; also from before and after the stretch.
        from_up_s: Where it begins, by the uptime of the samples.
        to_up_s: Where it ends.

    Returns:
        None for a stretch of no length, and for one without a sample, unless there is one of
        power within 2 s of both its ends: that gives mean power and energy.
    """
    if not from_up_s < to_up_s:
        return None
    ordered = sorted(samples, key=attrgetter("up_s"))
    inside = [sample for sample in ordered if from_up_s <= sample.up_s <= to_up_s]
    line = [(sample.up_s, power) for sample in ordered if (power := sample.power_w) is not None]
    energy_j = _energy(line, from_up_s, to_up_s)
    if not inside and energy_j is None:
        return None
    gpu_mhz = [sample.gpu_mhz for sample in inside if sample.gpu_mhz is not None]
    gpu_load = [sample.gpu_load for sample in inside if sample.gpu_load is not None]
    emc_mhz = [sample.emc_mhz for sample in inside if sample.emc_mhz is not None]
    cpu_mhz = [mhz for sample in inside for mhz in sample.cpu_mhz]
    gpu_temp_c = [sample.gpu_temp_c for sample in inside if sample.gpu_temp_c is not None]
    power_w = [sample.power_w for sample in inside if sample.power_w is not None]
    return Telemetry(
        from_up_s=from_up_s,
        to_up_s=to_up_s,
        samples=len(inside),
        gpu_mhz_min=min(gpu_mhz, default=None),
        gpu_mhz_max=max(gpu_mhz, default=None),
        gpu_load_mean=fmean(gpu_load) if gpu_load else None,
        emc_mhz_min=min(emc_mhz, default=None),
        emc_mhz_max=max(emc_mhz, default=None),
        cpu_mhz_min=min(cpu_mhz, default=None),
        cpu_mhz_max=max(cpu_mhz, default=None),
        gpu_temp_c_max=max(gpu_temp_c, default=None),
        power_w_mean=None if energy_j is None else energy_j / (to_up_s - from_up_s),
        power_w_max=max(power_w, default=None),
        energy_j=energy_j,
    )


def summarize_all(samples: Sequence[Sample]) -> Telemetry | None:
    """What samples add up to from the first to the last, such as those of an idle board.

    Returns:
        None for fewer than two, which are no stretch of time.
    """
    times = [sample.up_s for sample in samples]
    return summarize_samples(samples, min(times), max(times)) if times else None


def _energy(line: Sequence[_Point], begin: float, end: float) -> float | None:
    """The integral of power, joules; None where it is not known.

    Args:
        line: Points of known power, in the order of time.
        begin: Where the stretch begins.
        end: Where it ends.
    """
    first = bisect_left(line, begin, key=_time)
    behind = bisect_right(line, end, key=_time)
    known = line[max(first - 1, 0) : behind + 1]
    if first == behind and not _close(known, begin, end):
        return None
    path = [(begin, _power(known, begin)), *line[first:behind], (end, _power(known, end))]
    if any(late - early > _LONGEST_GAP_S for (early, _), (late, _) in pairwise(path)):
        return None
    return sum((late - early) * (one + two) / 2 for (early, one), (late, two) in pairwise(path))


def _close(known: Sequence[_Point], begin: float, end: float) -> bool:
    """Whether a stretch without a point of its own has one on each side, and near."""
    if len(known) < 2:  # noqa: PLR2004 - one on each side
        return False
    return begin - known[0][0] <= _FAR_S and known[1][0] - end <= _FAR_S


def _power(known: Sequence[_Point], when: float) -> float:
    """Power at a moment: on the line between its neighbours, else that of the nearest point."""
    at = bisect_left(known, when, key=_time)
    if at == len(known):
        return known[-1][1]
    late, two = known[at]
    if at == 0 or late == when:
        return two
    early, one = known[at - 1]
    return one + (two - one) * ((when - early) / (late - early))


def _time(point: _Point) -> float:
    return point[0]


def conditions_of(
    trials: Iterable[TrialEvidence],
    *,
    idle: Telemetry | None,
    iterations: int,
    locked: bool | None,
) -> RecordConditions:
    """Under which conditions the trials of a case ran: those that came to a good end.

    Where no telemetry has said the clock of the GPU, what the sensors said right before and
    after each trial stands in for it, but only where the clock was locked: one that may move
    has sunk by the time a trial is over.

    Args:
        trials: Of the case.
        idle: Of the board before the first trial of the sweep.
        iterations: Of each trial.
        locked: Whether the clocks were locked; None where it is not known.
    """
    good = [trial for trial in trials if trial.log is not None]
    said = [trial.telemetry for trial in good if trial.telemetry is not None]
    around = [sensors for trial in good for sensors in (trial.before, trial.after)]
    clocks = _known(mhz for each in said for mhz in (each.gpu_mhz_min, each.gpu_mhz_max))
    if not clocks and locked:
        clocks = _known(sensors.gpu_mhz for sensors in around)
    temperatures = _known(sensors.gpu_temp_c for sensors in around)
    temperatures += _known(each.gpu_temp_c_max for each in said)
    energies = _known(each.energy_j for each in said)
    return RecordConditions(
        gpu_mhz_min=min(clocks, default=None),
        gpu_mhz_max=max(clocks, default=None),
        emc_mhz_min=min(_known(each.emc_mhz_min for each in said), default=None),
        emc_mhz_max=max(_known(each.emc_mhz_max for each in said), default=None),
        gpu_load_mean=_mean((each.gpu_load_mean, each.window_s) for each in said),
        gpu_temp_c_max=max(temperatures, default=None),
        power_w_mean=_mean((each.power_w_mean, each.window_s) for each in said),
        power_w_max=max(_known(each.power_w_max for each in said), default=None),
        power_w_idle=None if idle is None else idle.power_w_mean,
        energy_j_iteration=energy_per_iteration(energies, iterations),
    )


def energy_per_iteration(energies_j: Sequence[float], iterations: int) -> float | None:
    """Joules of one iteration, forward and backward; None where there is nothing to divide.

    Args:
        energies_j: Of whole windows, one for each trial whose energy is known.
        iterations: Of each of these trials.
    """
    if not energies_j or iterations <= 0:
        return None
    return sum(energies_j) / (iterations * len(energies_j))


def _mean(weighted: Iterable[tuple[float | None, float]]) -> float | None:
    """The mean of what is known, each value with its weight."""
    known = [(value, weight) for value, weight in weighted if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total > 0 else None


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
