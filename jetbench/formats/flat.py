"""Records and trials as flat rows, for tables of others: one row a record, or one a trial.

The columns and their types are those of docs/reference/results.md. What is not known is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.domain.record import Record, Summary

Kind = Literal["text", "whole", "number", "flag"]
Row = dict[str, Any]

_CASE: dict[str, Kind] = {
    "sweep": "text",
    "board": "text",
    "model": "text",
    "engine": "text",
    "batch": "whole",
    "phase": "text",
    "stages": "text",
    "iterations": "whole",
    "gpu": "whole",
    "power_mode_id": "whole",
    "power_mode": "text",
    "clocks_locked": "flag",
    "simulated": "flag",
    "prototxt_sha256": "text",
    "status": "text",
}
_SUMMARY = ("median", "mean", "min", "max", "stdev", "ci95_low", "ci95_high")
RECORD_COLUMNS: dict[str, Kind] = {
    **_CASE,
    "reasons": "text",
    "processes": "whole",
    **{
        f"{what}_ms_{name}": "number"
        for what in ("forward", "backward", "forward_backward")
        for name in _SUMMARY
    },
    "bound_ms": "number",
    "gpu_mhz_min": "number",
    "gpu_mhz_max": "number",
    "emc_mhz_min": "number",
    "emc_mhz_max": "number",
    "gpu_load_mean": "number",
    "gpu_temp_c_max": "number",
    "power_w_mean": "number",
    "power_w_max": "number",
    "power_w_idle": "number",
    "energy_j_iteration": "number",
    "hardware": "text",
    "serial": "text",
    "l4t": "text",
    "cuda": "text",
    "cudnn": "text",
    "caffe_path": "text",
    "caffe_version": "text",
    "caffe_fork": "text",
    "caffe_build": "text",
}
"""Of a row a record."""
TRIAL_COLUMNS: dict[str, Kind] = {
    **_CASE,
    "trial": "whole",
    "repeat": "whole",
    "started_utc": "text",
    "wall_s": "number",
    "exit_status": "whole",
    "forward_ms": "number",
    "backward_ms": "number",
    "forward_backward_ms": "number",
    "total_ms": "number",
    "lost": "flag",
    "failure": "text",
    "failure_message": "text",
}
"""Of a row a trial."""


def record_row(sweep_id: str, record: Record) -> Row:
    """A record, with the keys of `RECORD_COLUMNS`."""
    conditions, origin = record.conditions, record.provenance
    row = {
        **_case(sweep_id, record),
        "reasons": "; ".join(record.reasons),
        "processes": record.forward_ms.n if record.forward_ms else 0,
        **_summary("forward", record.forward_ms),
        **_summary("backward", record.backward_ms),
        **_summary("forward_backward", record.forward_backward_ms),
        "bound_ms": record.bound_ms,
    }
    for name in RECORD_COLUMNS:
        if name not in row:
            row[name] = getattr(conditions if hasattr(conditions, name) else origin, name)
    return row


def trial_rows(sweep_id: str, record: Record) -> Iterator[Row]:
    """Each trial of a record, with the keys of `TRIAL_COLUMNS`."""
    case = _case(sweep_id, record)
    for trial in record.trials:
        failure = trial.failure
        yield {
            **case,
            "trial": trial.id,
            "repeat": trial.repeat,
            "started_utc": trial.started_utc,
            "wall_s": trial.wall_s,
            "exit_status": trial.exit_status,
            "forward_ms": trial.forward_ms,
            "backward_ms": trial.backward_ms,
            "forward_backward_ms": trial.forward_backward_ms,
            "total_ms": trial.total_ms,
            "lost": trial.lost,
            "failure": failure.kind if failure else None,
            "failure_message": failure.message if failure else None,
        }


def _case(sweep_id: str, record: Record) -> Row:
    mode = record.power_mode
    return {
        "sweep": sweep_id,
        "board": record.board,
        "model": record.model,
        "engine": "caffe",
        "batch": record.batch,
        "phase": record.phase,
        "stages": " ".join(record.stages),
        "iterations": record.iterations,
        "gpu": record.gpu,
        "power_mode_id": mode.id if mode else None,
        "power_mode": mode.name if mode else None,
        "clocks_locked": record.clocks_locked,
        "simulated": record.simulated,
        "prototxt_sha256": record.prototxt_sha256,
        "status": record.status,
    }


def _summary(what: str, summary: Summary | None) -> Row:
    if summary is None:
        return {f"{what}_ms_{name}": None for name in _SUMMARY}
    low, high = summary.ci95 or (None, None)
    values = (summary.median, summary.mean, summary.min, summary.max, summary.stdev, low, high)
    return {f"{what}_ms_{name}": value for name, value in zip(_SUMMARY, values, strict=True)}
