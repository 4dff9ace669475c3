"""Series over the nights, as text: a sparkline, and the steps in it."""

from __future__ import annotations

import csv
import io
import textwrap
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, Any

from jetbench.formats.words import printable
from jetbench.report.table import WIDTH, inert, significant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.domain.history import Night, Series, ToldSeries, ToldStep
    from jetbench.domain.trend import Trend

Json = dict[str, Any]

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-=+*#@"
_LEAST_RANGE = 0.05
"""Of the middle time: the noise of a quiet board fills no sparkline."""
_NAME = 60
_SCHEMA = 1
_COLOURS = {"slower": "\x1b[31m", "faster": "\x1b[32m"}
_PLAIN = "\x1b[0m"
_CSV_COLUMNS = (
    "board", "model", "batch", "phase", "power_mode", "simulated", "what", "sweep", "started_utc",
    "before_ms", "after_ms", "ratio", "ratio_ci95_low", "ratio_ci95_high", "changed", "carried_by",
)  # fmt: skip


def history_text(
    told: Sequence[ToldSeries],
    *,
    markdown: bool = False,
    colour: bool = False,
    bars: str = BARS,
) -> str:
    """Every series: what it is, its sparkline, its steps; lines of 80 columns.

    Args:
        told: The series.
        markdown: For a document.
        colour: Whether steps are coloured, for a terminal.
        bars: Eight letters, from low to high; `ASCII_BARS` where there is no Unicode.
    """
    blocks = ["\n".join(_block(one, bars, markdown=markdown)) for one in told]
    text = "\n\n".join(blocks) + "\n"
    if any(one.series.typical.simulated for one in told):
        text += "\nSimulated: these times were computed by virtual boards, not measured.\n"
    if colour:
        lines = [_coloured(line) for line in text.split("\n")]
        text = "\n".join(lines)
    return text


def _block(told: ToldSeries, bars: str, *, markdown: bool) -> Iterator[str]:
    series, trend = told.series, told.trend
    times = [_ms(night) for night in series.nights]
    known = [time for time in times if time is not None]
    yield f"### {_title(series)}\n" if markdown else _title(series)
    if known:
        ends = f"  {significant(min(known))} to {significant(max(known))} ms"
        line = sparkline(times, WIDTH - 2 - len(ends), bars) + ends
        yield f"`{line}`\n" if markdown else f"  {line}"
    for text in _facts(told, trend):
        if markdown:
            yield f"- {text}"
        else:
            yield from textwrap.wrap(
                text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
            )


def _title(series: Series) -> str:
    record = series.typical
    mode = record.power_mode
    parts = [
        f"{printable(series.model, _NAME)} on {printable(series.board, _NAME)}",
        f"batch {record.batch}",
        record.phase,
        "CPU" if record.gpu is None else None,
        None if mode is None else printable(mode.name or f"mode {mode.id}", _NAME),
        {True: "clocks locked", False: "clocks free", None: None}[record.clocks_locked],
        f"{record.iterations} iterations",
        "simulated" if record.simulated else None,
    ]
    return ", ".join(part for part in parts if part)


def _facts(told: ToldSeries, trend: Trend) -> Iterator[str]:
    nights = told.series.nights
    count = f"{len(nights)} {'night' if len(nights) == 1 else 'nights'}"
    span = " to ".join(dict.fromkeys(night.started_utc[:10] for night in (nights[0], nights[-1])))
    noise = "" if trend.noise is None else f", noise {100 * trend.noise:.1f} % from night to night"
    yield f"{count}, {printable(span)}{noise}: {_verdict(trend)}"
    for one in told.steps:
        yield _step(one, nights)
    if trend.drift_a_day is not None and trend.drift_in_all is not None:
        month = 100 * ((1 + trend.drift_a_day) ** 30.44 - 1)
        yield f"drift: {month:+.2g} % a month, {100 * trend.drift_in_all:+.1f} % in all"
    if trend.outliers:
        yield f"alone: {_several(nights, trend.outliers)}"
    if trend.gaps:
        yield f"no number: {_several(nights, trend.gaps, status=True)}"


def _verdict(trend: Trend) -> str:
    match trend.verdict:
        case "too few":
            return "too few to tell steps"
        case "too noisy":
            return "too noisy to tell steps"
        case "steady":
            return "steady"
        case _:
            steps = len(trend.steps)
            parts = [f"{steps} {'step' if steps == 1 else 'steps'}"] if steps else []
            parts += ["a drift"] if trend.drift_a_day is not None else []
            return " and ".join(parts)


def _step(one: ToldStep, nights: Sequence[Night]) -> str:
    step, night = one.step, nights[one.step.at]
    low, high = (f"{100 * (end - 1):+.1f}" for end in step.ratio_ci95)
    changed = ", ".join(printable(each, 200) for each in one.changed)
    layers = ", ".join(printable(each, _NAME) for each in one.layers)
    kind = "slower" if step.ratio > 1 else "faster"
    return (
        f"{kind} from {printable(night.started_utc[:10])} on ({printable(night.sweep_id, 80)}): "
        f"{significant(step.before_ms)} → {significant(step.after_ms)} ms, "
        f"{100 * (step.ratio - 1):+.1f} % ({low} to {high}); "
        + (f"changed: {changed}" if changed else "nothing else is known to have changed")
        + (f"; carried by {layers}" if layers else "")
    )


def _several(nights: Sequence[Night], places: Sequence[int], *, status: bool = False) -> str:
    most = 5
    told = []
    for place in places[:most]:
        night = nights[place]
        ms = _ms(night)
        what = night.record.status if status or ms is None else f"{significant(ms)} ms"
        told.append(f"{printable(night.started_utc[:10])} ({what})")
    left = len(places) - most
    return ", ".join(told) + (f" and {left} more" if left > 0 else "")


def sparkline(times: Sequence[float | None], width: int, bars: str = BARS) -> str:
    """A letter a night; with more nights than letters, the median of the nights of each.

    A night without a number is a blank. The scale goes from the least to the largest, and over
    5 % of the middle time at least.
    """
    columns = min(width, len(times))
    cells = []
    for column in range(columns):
        begin, end = column * len(times) // columns, (column + 1) * len(times) // columns
        known = [time for time in times[begin:end] if time is not None]
        cells.append(median(known) if known else None)
    known = [cell for cell in cells if cell is not None]
    if not known:
        return " " * columns
    low, range_ms = min(known), max(known) - min(known)
    least = _LEAST_RANGE * median(known)
    if range_ms < least:
        low -= (least - range_ms) / 2
        range_ms = least
    top = len(bars) - 1
    return "".join(
        " "
        if cell is None
        else bars[min(int((cell - low) / range_ms * top), top)]
        if range_ms > 0
        else bars[0]
        for cell in cells
    )


def _coloured(line: str) -> str:
    for kind, start in _COLOURS.items():
        if line.startswith(f"  {kind} from "):
            return line.replace(kind, f"{start}{kind}{_PLAIN}", 1)
    return line


def _ms(night: Night) -> float | None:
    times = night.record.forward_ms
    return None if times is None else times.mean


def history_to_json(told: Sequence[ToldSeries]) -> Json:
    """The document of ``jetbench history --format json``; what is not known is null."""
    return {"schema": _SCHEMA, "series": [_series_to_json(one) for one in told]}


def _series_to_json(told: ToldSeries) -> Json:
    series, trend = told.series, told.trend
    record = series.typical
    mode = record.power_mode
    return {
        "board": series.board,
        "model": series.model,
        "batch": record.batch,
        "phase": record.phase,
        "iterations": record.iterations,
        "gpu": record.gpu,
        "power_mode": None if mode is None else {"id": mode.id, "name": mode.name},
        "clocks_locked": record.clocks_locked,
        "simulated": record.simulated,
        "prototxt_sha256": record.prototxt_sha256,
        "verdict": trend.verdict,
        "noise": trend.noise,
        "drift_a_day": trend.drift_a_day,
        "drift_in_all": trend.drift_in_all,
        "steps": [
            {
                **_night(series.nights[one.step.at]),
                **{key: value for key, value in asdict(one.step).items() if key.endswith("_ms")},
                "ratio": one.step.ratio,
                "ratio_ci95": list(one.step.ratio_ci95),
                "last_before": series.nights[one.step.last_before].sweep_id,
                "changed": list(one.changed),
                "layers": list(one.layers),
            }
            for one in told.steps
        ],
        "outliers": [series.nights[place].sweep_id for place in trend.outliers],
        "nights": [
            {**_night(night), "status": night.record.status, "forward_ms": _ms(night)}
            for night in series.nights
        ],
    }


def _night(night: Night) -> Json:
    return {"sweep": night.sweep_id, "started_utc": night.started_utc}


def history_csv(told: Sequence[ToldSeries]) -> str:
    """A row for each step, drift and night that stands alone."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    for one in told:
        nights, record = one.series.nights, one.series.typical
        mode = record.power_mode
        case = (
            inert(one.series.board), inert(one.series.model), record.batch, record.phase,
            None if mode is None else inert(mode.name or str(mode.id)), record.simulated,
        )  # fmt: skip
        for each in one.steps:
            step, night = each.step, nights[each.step.at]
            writer.writerow(
                [
                    *case, "step", inert(night.sweep_id), inert(night.started_utc),
                    step.before_ms, step.after_ms, step.ratio, *step.ratio_ci95,
                    inert("; ".join(each.changed)), inert("; ".join(each.layers)),
                ]
            )  # fmt: skip
        if one.trend.drift_in_all is not None:
            blank = (None,) * 2
            writer.writerow(
                [*case, "drift", *blank, *blank, 1 + one.trend.drift_in_all, *blank, *blank]
            )
        for place in one.trend.outliers:
            night = nights[place]
            times = (None, _ms(night))
            started = (inert(night.sweep_id), inert(night.started_utc))
            writer.writerow([*case, "alone", *started, *times, None, None, None, None, None])
    return buffer.getvalue()
