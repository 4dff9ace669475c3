"""Series of cases, made whole: nights on which a case has no number belong to it as well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from jetbench.domain.history import Night, Series


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
