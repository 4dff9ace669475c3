"""Series of cases: made whole, and told with what is in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from jetbench.analysis.comparable import changed_provenance
from jetbench.analysis.difference import carriers
from jetbench.analysis.steps import find_trend
from jetbench.domain.history import ToldSeries, ToldStep

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from jetbench.domain.history import Night, Series
    from jetbench.domain.record import Record

_DAY_S = 86_400


def with_gaps(series: Sequence[Series]) -> list[Series]:
    """Put the nights that brought no number where they belong.

    A case that was lost does not know its power mode, nor the hash of a net that was never sent:
    by its key it is a case of its own. Its nights go to every series with numbers of the same
    board, model, batch, phase and iterations; where there is none, the series stays.
    """
    measured = [one for one in series if any(night.record.forward_ms for night in one.nights)]
    places: dict[Hashable, list[int]] = {}
    for place, one in enumerate(measured):
        places.setdefault(_asked(one), []).append(place)
    nights = [list(one.nights) for one in measured]
    left = []
    for one in series:
        if any(night.record.forward_ms for night in one.nights):
            continue
        found = places.get(_asked(one))
        if found is None:
            left.append(one)
        for place in found or ():
            nights[place].extend(one.nights)
    whole = [
        replace(one, nights=_ordered(of_one)) for one, of_one in zip(measured, nights, strict=True)
    ]
    return sorted([*whole, *left], key=lambda one: (one.model, one.board))


def _asked(series: Series) -> Hashable:
    record = series.nights[0].record
    return series.board, series.model, record.batch, record.phase, record.iterations


def _ordered(nights: list[Night]) -> tuple[Night, ...]:
    return tuple(sorted(nights, key=lambda night: (night.started_utc, night.sweep_id)))


def told_of(series: Series, whole: Callable[[Night], Record | None]) -> ToldSeries:
    """A series with its steps, and what else became different with each.

    Args:
        series: The nights of a case.
        whole: Brings the record of a night with its layers; None where it is gone meanwhile.
    """
    nights = series.nights
    times = [night.record.forward_ms.mean if night.record.forward_ms else None for night in nights]
    trend = find_trend(times, days_of(series))
    steps = []
    for step in trend.steps:
        before, after = nights[step.last_before], nights[step.at]
        both = whole(before), whole(after)
        layers = carriers(both[0], both[1]) if both[0] and both[1] else ()
        steps.append(
            ToldStep(
                step,
                tuple(each.text for each in changed_provenance(before.record, after.record)),
                tuple(layer.name for layer in layers),
            )
        )
    return ToldSeries(series, trend, tuple(steps))


def days_of(series: Series) -> list[float]:
    """When each night was, in days; where it is not known, a day after the one before."""
    days: list[float] = []
    for night in series.nights:
        try:
            began = datetime.fromisoformat(night.started_utc.replace("Z", "+00:00"))
            day = began.timestamp() / _DAY_S
        except (ValueError, OverflowError):
            day = days[-1] + 1 if days else 0.0
        days.append(max(day, days[-1]) if days else day)
    return days
