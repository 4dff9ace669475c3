"""A case as the pages show it: under which conditions, how it stands now, where it is found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.analysis.comparable import case_id
from jetbench.formats.words import printable
from jetbench.report.site.links import model_page
from jetbench.report.table import significant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jetbench.domain.history import Night, ToldSeries
    from jetbench.domain.record import Record

_NAME = 60
_HASH = 7
MARKS = {"ok": "", "suspect": "?", "failed": "✗", "lost": "-"}
"""What stands beside a status, for whoever sees no colour."""


@dataclass(frozen=True, slots=True)
class Case:
    """A series, and what the pages call it."""

    id: str
    told: ToldSeries
    condition: str
    """What tells it from the other cases of its model: ``MAXN``, ``MAXQ, batch 8``."""

    @property
    def board(self) -> str:
        """The name of its board."""
        return self.told.series.board

    @property
    def model(self) -> str:
        """The name of its model."""
        return self.told.series.model

    @property
    def nights(self) -> Sequence[Night]:
        """The oldest first."""
        return self.told.series.nights

    @property
    def record(self) -> Record:
        """One that knows the case's key."""
        return self.told.series.typical

    @property
    def last(self) -> Night:
        """The last night, whatever it brought."""
        return self.nights[-1]

    @property
    def newest(self) -> Night | None:
        """The last night with a number."""
        return next((one for one in reversed(self.nights) if one.record.forward_ms), None)

    @property
    def median_ms(self) -> float | None:
        """Of the last night with a number."""
        newest = self.newest
        forward_ms = newest.record.forward_ms if newest else None
        return forward_ms.median if forward_ms else None

    @property
    def link(self) -> str:
        """Its row on the page of its model."""
        return f"{model_page(self.model)}#case-{self.id}"


def cases_of(told: Iterable[ToldSeries]) -> list[Case]:
    """Every case with a name for its conditions: no two of a board and a model have the same."""
    every = sorted(told, key=_order)
    short = [_condition(one.series.typical) for one in every]
    seen = Counter(
        (one.series.board, one.series.model, words)
        for one, words in zip(every, short, strict=True)
    )
    return [
        Case(
            case_id(one.series.typical),
            one,
            words
            if seen[one.series.board, one.series.model, words] == 1
            else f"{words}, {_rest(one.series.typical)}",
        )
        for one, words in zip(every, short, strict=True)
    ]


def _order(told: ToldSeries) -> tuple[str, bool, int, int, str]:
    """Models by name, then the conditions from the fastest mode on, then boards."""
    record = told.series.typical
    mode = record.power_mode
    return (
        told.series.model,
        mode is None,
        mode.id if mode else 0,
        record.batch,
        told.series.board,
    )


def _condition(record: Record) -> str:
    mode = record.power_mode
    parts = [
        "mode unknown" if mode is None else printable(mode.name or f"mode {mode.id}", _NAME),
        None if record.batch == 1 else f"batch {record.batch}",
        "CPU" if record.gpu is None and record.forward_ms else None,
        None if record.phase == "TEST" else f"phase {record.phase}",
        *(f"stage {printable(stage, _NAME)}" for stage in record.stages),
        "clocks free" if record.clocks_locked is False else None,
    ]
    return ", ".join(part for part in parts if part)


def _rest(record: Record) -> str:
    """What else two cases can differ by."""
    net = (
        "net unknown"
        if record.prototxt_sha256 is None
        else f"net {record.prototxt_sha256[:_HASH]}"
    )
    device = "" if record.gpu is None else f", GPU {record.gpu}"
    simulated = ", simulated" if record.simulated else ""
    return f"{record.iterations} iterations, {net}{device}{simulated}"


def status_text(record: Record) -> str:
    """``ok``, ``? suspect``, ``✗ failed``, ``- lost``."""
    return f"{MARKS[record.status]} {record.status}".strip()


def ms(value: float | None) -> str:
    """``12.94``; a dash where it is not known."""
    return "-" if value is None else significant(value)


def percent(ratio: float) -> str:
    """``+5.2 %`` of a ratio of 1.052."""
    return f"{100 * (ratio - 1):+.1f} %"


def day(utc: str | None) -> str:
    """``2026-01-02``."""
    return printable((utc or "")[:10], 10) or "unknown"
