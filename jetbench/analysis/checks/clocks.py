"""Was the board the same all the time? Power mode, limits and cores, then the clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.analysis.checks.clue import Clue, explained, good_trials, trials_text
from jetbench.domain.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jetbench.analysis.checks.clue import Good
    from jetbench.domain.evidence import CaseEvidence
    from jetbench.domain.facts import Conditions

CLOCK_SHARE = 0.005
"""Of a locked clock of GPU or memory. tegrastats cuts 1300.5 to 1300 MHz (0.04 %); the next
step of the GPU is 2 % below or more."""
CUT_MHZ = 1.0
"""What cutting to whole MHz can take away: more than `CLOCK_SHARE` of a low clock."""
CPU_SHARE = 0.05
"""Of the CPU's clock, which is counted, not read from a register: real boards say 1992 to
2035 MHz while it is locked at 2035 (2 %). A step is 6 % of it or more."""

_LIMITS = (
    ("power_mode_id", "power mode"),
    ("gpu_max_mhz", "the GPU's highest clock in MHz"),
    ("gpu_min_mhz", "the GPU's lowest clock in MHz"),
    ("cpu_online", "CPU cores"),
    ("cpu_max_mhz", "the CPU's highest clock in MHz"),
)


def changed(evidence: CaseEvidence, _: Sequence[Clue]) -> Iterator[Clue]:
    """Mode, limits and cores are the same before and after each trial, and for all trials.

    What is said first holds as what should be. Where the clocks are not locked, the lower
    limit is the governor's own affair.
    """
    names = [name for name, _ in _LIMITS if name != "gpu_min_mhz" or evidence.locked is True]
    first: dict[str, object] = {}
    changes: dict[tuple[str, object], str] = {}
    places: set[int] = set()
    for place, trial in enumerate(evidence.trials):
        for moment, conditions in (("before", trial.before), ("during", trial.after)):
            said = _said(conditions, names)
            for name, value in said.items():
                if first.setdefault(name, value) == value:
                    continue
                places.add(place)
                # Said once for each change, where it is seen first.
                changes.setdefault((name, value), f"{moment} trial {place + 1}")
    numbers = {good.place for good in good_trials(evidence)}
    if not places & numbers:
        return
    texts: dict[str, list[str]] = {}
    labels = dict(_LIMITS)
    for (name, value), when in changes.items():
        text = f"{labels[name]} from {_value_text(first[name])} to {_value_text(value)}"
        texts.setdefault(when, []).append(text)
    seen = "; ".join(f"{when}: {', '.join(parts)}" for when, parts in texts.items())
    text = f"{trials_text(frozenset(places), evidence)} ran under other conditions: {seen}"
    advice = (
        "find who changes power mode or clocks there (nvpmodel, jetson_clocks, a service), "
        "set it with --power-mode, and measure again"
    )
    yield Clue(Finding("changed", text, advice), frozenset(places))


def _said(conditions: Conditions, names: Sequence[str]) -> Mapping[str, object]:
    said = {name: getattr(conditions, name) for name in names}
    return {name: value for name, value in said.items() if value is not None}


def _value_text(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def throttled(evidence: CaseEvidence, clues: Sequence[Clue]) -> Iterator[Clue]:
    """No clock that is locked falls below the one that it is locked at.

    Trials during which the limits themselves changed are left to `changed`. A GPU that does
    not compute is not looked at.
    """
    if evidence.locked is not True:
        return
    trials = good_trials(evidence, explained(clues, "changed"))
    parts: list[str] = []
    places: set[int] = set()
    for name, fallen in (
        ("the GPU", {} if evidence.gpu is None else _gpu(trials)),
        ("the memory", _emc(trials)),
        ("the CPU", _cpu(trials)),
    ):
        if fallen:
            places |= fallen.keys()
            lowest, locked = min(fallen.values())
            where = trials_text(frozenset(fallen), evidence)
            parts.append(f"{where}: {name} fell to {lowest:.0f} MHz, locked at {locked:.0f}")
    if parts:
        advice = (
            "cool the board and see that its power supply is strong enough; "
            "--cooldown C waits until the GPU is no warmer than C before each trial"
        )
        yield Clue(Finding("throttled", "; ".join(parts), advice), frozenset(places))


_Fallen = dict[int, tuple[float, float]]
"""By the place of the trial: the lowest clock and the one it was locked at, MHz."""


def _gpu(trials: Sequence[Good]) -> _Fallen:
    """By its limit, during the trial and right after it."""
    fallen: _Fallen = {}
    for good in trials:
        telemetry, after = good.trial.telemetry, good.trial.after
        locked = good.trial.before.gpu_max_mhz
        seen = [
            mhz
            for mhz in (telemetry.gpu_mhz_min if telemetry else None, after.gpu_mhz)
            if mhz is not None
        ]
        if locked is not None and seen and _is_below(min(seen), locked):
            fallen[good.place] = (min(seen), locked)
    return fallen


def _emc(trials: Sequence[Good]) -> _Fallen:
    """By the highest clock of the memory in the whole case: a board does not say its limit."""
    said = {
        good.place: (telemetry.emc_mhz_min, telemetry.emc_mhz_max)
        for good in trials
        if (telemetry := good.trial.telemetry) is not None
    }
    locked = max((top for _, top in said.values() if top is not None), default=None)
    if locked is None:
        return {}
    return {
        place: (low, locked)
        for place, (low, _) in said.items()
        if low is not None and _is_below(low, locked)
    }


def _cpu(trials: Sequence[Good]) -> _Fallen:
    """By the limit of the fastest core, and for the slowest by what it was in other trials.

    The two kinds of cores of a TX2 have limits of their own (345 and 2035 MHz in
    MAXP_CORE_DENVER), of which only the higher one is known.
    """
    said = {
        good.place: (telemetry, good.trial.before.cpu_max_mhz)
        for good in trials
        if (telemetry := good.trial.telemetry) is not None
    }
    slowest = max(
        (t.cpu_mhz_min for t, _ in said.values() if t.cpu_mhz_min is not None), default=0
    )
    fallen: _Fallen = {}
    for place, (telemetry, limit) in said.items():
        low, top = telemetry.cpu_mhz_min, telemetry.cpu_mhz_max
        if top is not None and limit is not None and top < limit * (1 - CPU_SHARE):
            fallen[place] = (top, limit)
        elif low is not None and low < slowest * (1 - CPU_SHARE):
            fallen[place] = (low, slowest)
    return fallen


def _is_below(mhz: float, locked: float) -> bool:
    return locked - mhz > max(CLOCK_SHARE * locked, CUT_MHZ)
