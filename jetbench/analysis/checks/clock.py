"""Did the board's clock run as it should? Caffe on the CPU times with it; telemetry is cut by it.

A Jetson without a battery starts with a clock that is years behind, and is set when it first
reaches a network. The time since boot, which no setting moves, tells of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.analysis.checks.clue import Clue, good_trials, trials_text
from jetbench.analysis.telemetry import passed
from jetbench.domain.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.analysis.checks.clue import Good
    from jetbench.domain.evidence import CaseEvidence
    from jetbench.domain.timing import ParsedLog

STEP_S = 0.5
"""A clock that goes on by so much more or less than the time since boot was set. The two are
read one after the other, some milliseconds apart on a busy board."""
STEP_SHARE = 0.001
"""Of the trial's time. A clock that is led to the right time, and not set, goes wrong by half."""
_DAYS_S = 2 * 86_400.0


def clock_was_set(step_s: float | None, wall_s: float | None) -> bool:
    """Whether somebody set the board's clock during a trial of `wall_s`.

    Args:
        step_s: How much more the clock has gone on than the time since boot; None: not known.
        wall_s: The trial's time, by the time since boot.
    """
    return step_s is not None and abs(step_s) > STEP_S + STEP_SHARE * max(wall_s or 0.0, 0.0)


def clock(evidence: CaseEvidence, _: Sequence[Clue]) -> Iterator[Clue]:
    """The clock was not set meanwhile, and no log claims more time than there was.

    A board that only computes its times does not take the time that it claims.
    """
    texts: dict[str, set[int]] = {}
    for good in good_trials(evidence):
        text = _set_text(good) or _claim(good, simulated=evidence.simulated)
        if text is not None:
            texts.setdefault(text, set()).add(good.place)
    if texts:
        said = "; ".join(
            f"{trials_text(frozenset(places), evidence)}: {text}" for text, places in texts.items()
        )
        advice = (
            "do not use this number; see what sets the board's clock (ntpdate, "
            "systemd-timesyncd), wait until it is right, and measure again"
        )
        yield Clue(Finding("clock", said, advice), frozenset().union(*texts.values()))


def _set_text(good: Good) -> str | None:
    step_s = good.trial.clock_step_s
    if step_s is None or not clock_was_set(step_s, good.trial.result.wall_s):
        return None
    size = abs(step_s)
    by = f"{size / 86_400:.0f} days" if size > _DAYS_S else f"{size:.3g} s"
    return f"the board's clock was set {by} {'ahead' if step_s > 0 else 'back'} meanwhile"


def _claim(good: Good, *, simulated: bool) -> str | None:
    """What a log says of time that cannot be."""
    wall_s = good.trial.result.wall_s
    longest_s = None
    if wall_s is not None and wall_s >= 0 and not simulated:
        longest_s = wall_s + STEP_S + STEP_SHARE * wall_s
    if good.log.window is not None:
        begin, end = good.log.window
        took = passed(begin, end)
        if all(seconds < 0 for seconds in took):
            return "its log's clock ran backwards while it iterated"
        if longest_s is not None and min(s for s in took if s >= 0) > longest_s:
            return f"its log iterated for {max(took):.4g} s, and it ran for {wall_s:.4g} s in all"
    claimed_s = _total_s(good.log)
    if longest_s is not None and claimed_s > longest_s:
        return f"its log claims {claimed_s:.4g} s of work, and it ran for {wall_s:.4g} s in all"
    return None


def _total_s(log: ParsedLog) -> float:
    """The longest time that the numbers of a log come to."""
    count = log.iterations or 0
    each = (log.forward_ms, log.backward_ms, log.forward_backward_ms)
    sums_ms = [ms * count for ms in each if ms is not None]
    return max((*sums_ms, log.total_ms or 0.0, sum(log.iteration_ms))) / 1e3
