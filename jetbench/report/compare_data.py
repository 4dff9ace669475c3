"""Two sweeps held against each other: as JSON and CSV, for scripts."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from jetbench.analysis.compare import SIGNIFICANCE, THRESHOLD
from jetbench.report.table import inert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jetbench.analysis.compare import CaseComparison, Comparison
    from jetbench.analysis.speed import RelativeSpeed
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import Record

Json = dict[str, Any]

_SCHEMA = 1
_CSV_COLUMNS = (
    "board",
    "model",
    "batch",
    "phase",
    "power_mode",
    "simulated",
    "verdict",
    "suspect",
    "ratio",
    "ratio_ci95_low",
    "ratio_ci95_high",
    "p_value",
    "a_n",
    "a_forward_ms_mean",
    "b_n",
    "b_forward_ms_mean",
    "why",
    "changed",
)


def comparison_to_json(comparison: Comparison, a: KeptSweep, b: KeptSweep) -> Json:
    """The document of ``jetbench compare --format json``; what is not known is null."""
    return {
        "schema": _SCHEMA,
        "a": _sweep(a),
        "b": _sweep(b),
        "threshold": THRESHOLD,
        "significance": SIGNIFICANCE,
        "counts": comparison.counts,
        "geometric_mean": comparison.geometric_mean,
        "cases": [_case(case) for case in comparison.cases],
        "only_in_a": [_what(record) for record in comparison.only_a],
        "only_in_b": [_what(record) for record in comparison.only_b],
    }


def comparison_csv(comparison: Comparison) -> str:
    """One line a case, all numbers in full; an unknown one is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    for case in comparison.cases:
        low, high = _ends(case.speed) or (None, None)
        writer.writerow(
            [
                *_where(case.a),
                case.verdict,
                case.suspect,
                case.speed.ratio if case.speed else None,
                low,
                high,
                case.p_value,
                *_time(case.a),
                *_time(case.b),
                inert("; ".join(case.why)),
                inert("; ".join(difference.text for difference in case.changed)),
            ]
        )
    for verdict, records in (("only in A", comparison.only_a), ("only in B", comparison.only_b)):
        for record in records:
            nothing, time = (None, None), _time(record)
            times = (time, nothing) if verdict == "only in A" else (nothing, time)
            suspect = record.status == "suspect"
            blank = (None,) * 4
            writer.writerow(
                [*_where(record), verdict, suspect, *blank, *times[0], *times[1], None, None]
            )
    return buffer.getvalue()


def _sweep(sweep: KeptSweep) -> Json:
    return {
        "id": sweep.id,
        "source": sweep.source,
        "started_utc": sweep.started_utc,
        "finished_utc": sweep.finished_utc,
        "jetbench": sweep.jetbench,
        "simulated": sweep.simulated,
        "interrupted": sweep.interrupted,
    }


def _case(case: CaseComparison) -> Json:
    ends = _ends(case.speed)
    return {
        **_what(case.a),
        "verdict": case.verdict,
        "why": list(case.why),
        "suspect": case.suspect,
        "ratio": case.speed.ratio if case.speed else None,
        "ratio_ci95": list(ends) if ends else None,
        "p_value": case.p_value,
        "a": _side(case.a),
        "b": _side(case.b),
        "differences": [asdict(difference) for difference in case.differences],
        "changed": [asdict(difference) for difference in case.changed],
        "layers": [asdict(layer) for layer in case.layers],
    }


def _what(record: Record) -> Json:
    mode = record.power_mode
    return {
        "board": record.board,
        "model": record.model,
        "batch": record.batch,
        "phase": record.phase,
        "power_mode": None if mode is None else {"id": mode.id, "name": mode.name},
        "simulated": record.simulated,
    }


def _side(record: Record) -> Json:
    time = record.forward_ms
    return {
        "status": record.status,
        "reasons": list(record.reasons),
        "prototxt_sha256": record.prototxt_sha256,
        "forward_ms": None
        if time is None
        else {
            "n": time.n,
            "mean": time.mean,
            "stdev": time.stdev,
            "ci95": None if time.ci95 is None else list(time.ci95),
        },
    }


def _ends(speed: RelativeSpeed | None) -> tuple[float, float] | None:
    if speed is None:
        return None
    return speed.ratio - speed.half_width, speed.ratio + speed.half_width


def _where(record: Record) -> Iterable[object]:
    mode = record.power_mode
    return (
        inert(record.board),
        inert(record.model),
        record.batch,
        record.phase,
        None if mode is None else inert(mode.name or str(mode.id)),
        record.simulated,
    )


def _time(record: Record) -> tuple[int | None, float | None]:
    time = record.forward_ms
    return (None, None) if time is None else (time.n, time.mean)
