"""Rows of tables that several pages have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jetbench.formats.words import printable
from jetbench.report.site.cases import percent
from jetbench.report.site.links import board_page, sweep_page
from jetbench.report.table import efficiency_text, time_text

if TYPE_CHECKING:
    from jetbench.domain.record import Record
    from jetbench.domain.trend import Trend
    from jetbench.report.site.cases import Case
    from jetbench.report.site.overview import Overview

Json = dict[str, Any]

_NAME = 80


def case_row(overview: Overview, case: Case) -> Json:
    """A case as it stands now: its last number, and what its last night has come to."""
    newest, last = case.newest, case.last
    record = last.record if newest is None else newest.record
    place = overview.places.get(case.id)
    conditions = record.conditions
    return {
        "id": case.id,
        "model": printable(case.model, _NAME),
        "board": printable(case.board, _NAME),
        "board_link": board_page(case.board),
        "link": case.link,
        "condition": case.condition,
        **time_cells(record),
        "n": record.forward_ms.n if record.forward_ms else "",
        "place": "" if place is None else percent(place),
        "place_sort": "" if place is None else f"{place:.4f}",
        "temperature": _whole(conditions.gpu_temp_c_max),
        "power": "" if conditions.power_w_mean is None else f"{conditions.power_w_mean:.1f}",
        "sweep_link": sweep_page(last.sweep_id),
        "day": printable(last.started_utc[:10], 10),
        "record": last.record,
        "trend": trend_text(case.told.trend),
    }


def time_cells(record: Record) -> Json:
    """The time and the part of the peak, and by what columns of them are sorted."""
    times = record.forward_ms
    known = times is not None and record.bound_ms is not None
    return {
        "time": time_text(record).removesuffix(" ?") if times else "",
        "sort": f"{times.median:.6g}" if times else "",
        "peak": efficiency_text(record) or "",
        "peak_sort": f"{record.bound_ms / times.median:.4f}" if known else "",  # type: ignore[operator,union-attr]
    }


def trend_text(trend: Trend) -> str:
    """``steady``, or ``2 steps, the last +5.2 %``."""
    match trend.verdict:
        case "steady":
            text = "steady"
        case "too few":
            text = "too few nights to tell"
        case "too noisy":
            text = "too noisy to tell"
        case _:
            parts = []
            if trend.steps:
                count = len(trend.steps)
                steps = "1 step" if count == 1 else f"{count} steps, the last"
                parts.append(f"{steps} {percent(trend.steps[-1].ratio)}")
            if trend.drift_in_all is not None:
                parts.append(f"a drift of {100 * trend.drift_in_all:+.1f} % in all")
            text = " and ".join(parts)
    noise = "" if trend.noise is None else f", noise {100 * trend.noise:.1f} %"
    return text + noise


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
