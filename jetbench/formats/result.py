"""Results as JSON, schema 1. What is not known is null, never 0.

The keys of the contract never change their meaning; more may come.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from jetbench.domain.record import SCHEMA

if TYPE_CHECKING:
    from jetbench.domain.facts import PowerMode
    from jetbench.domain.record import BoardResult, Record, Summary, SweepResult, TrialResult

Json = dict[str, Any]


def result_to_json(result: SweepResult) -> Json:
    """The document that ``jetbench run --format json`` prints."""
    return {
        "schema": SCHEMA,
        "sweep": {
            "id": result.plan.sweep_id,
            "started_utc": result.started_utc,
            "finished_utc": result.finished_utc,
            "command": list(result.plan.command),
            "jetbench": result.jetbench,
            "simulated": result.simulated,
            "interrupted": result.interrupted,
            "seed": result.plan.options.seed,
            "second_look_of": result.plan.second_look_of,
        },
        "boards": {board.name: _board(board) for board in result.boards},
        "records": [record_to_json(record) for record in result.records],
        "fleet": [asdict(outlier) for outlier in result.fleet],
    }


def record_to_json(record: Record) -> Json:
    """One record, as it stands in the document and as a line of JSON lines."""
    return {
        "board": record.board,
        "model": record.model,
        "source": record.source,
        "engine": "caffe",
        "batch": record.batch,
        "phase": record.phase,
        "stages": list(record.stages),
        "iterations": record.iterations,
        "gpu": record.gpu,
        "power_mode": _mode(record.power_mode),
        "clocks_locked": record.clocks_locked,
        "simulated": record.simulated,
        "status": record.status,
        "reasons": list(record.reasons),
        "input_shapes": {name: list(shape) for name, shape in record.input_shapes},
        "prototxt_sha256": record.prototxt_sha256,
        "forward_ms": _summary(record.forward_ms),
        "backward_ms": _summary(record.backward_ms),
        "forward_backward_ms": _summary(record.forward_backward_ms),
        "layers": [asdict(layer) for layer in record.layers],
        "conditions": asdict(record.conditions),
        "bound_ms": record.bound_ms,
        "trials": [_trial(trial) for trial in record.trials],
        "findings": [asdict(finding) for finding in record.findings],
        "provenance": asdict(record.provenance),
    }


def _board(board: BoardResult) -> Json:
    facts = board.facts
    caffe = facts.caffe if facts else None
    return {
        "reached": facts is not None,
        "error": board.error,
        "hint": board.hint,
        "simulated": facts.simulated if facts else None,
        "hardware": facts.hardware if facts else None,
        "serial": facts.serial if facts else None,
        "l4t": facts.l4t if facts else None,
        "cuda": facts.cuda if facts else None,
        "cudnn": facts.cudnn if facts else None,
        "tensorrt": facts.tensorrt if facts else None,
        "caffe": {
            "path": caffe.path if caffe else None,
            "version": caffe.version if caffe else None,
            "fork": caffe.fork if caffe else None,
            "build_id": caffe.build_id if caffe else None,
        },
        "uptime_s": facts.uptime_s if facts else None,
        "gpu_temp_c_before": facts.conditions.gpu_temp_c if facts else None,
        "clock_skew_s": facts.clock_skew_s if facts else None,
        "power_before": _mode(board.power_before),
        "clocks_before": board.clocks_before,
        "changed": board.changed,
        "restored": board.restored,
        "notes": list(board.notes),
    }


def _mode(mode: PowerMode | None) -> Json | None:
    return None if mode is None else {"id": mode.id, "name": mode.name}


def _summary(summary: Summary | None) -> Json | None:
    if summary is None:
        return None
    # Not asdict: it would copy every number of a long sweep twice.
    return {
        "n": summary.n,
        "median": summary.median,
        "mean": summary.mean,
        "min": summary.min,
        "max": summary.max,
        "stdev": summary.stdev,
        "ci95": None if summary.ci95 is None else list(summary.ci95),
        "values": list(summary.values),
    }


def _trial(trial: TrialResult) -> Json:
    return {
        "id": trial.id,
        "repeat": trial.repeat,
        "started_utc": trial.started_utc,
        "wall_s": trial.wall_s,
        "exit_status": trial.exit_status,
        "forward_ms": trial.forward_ms,
        "backward_ms": trial.backward_ms,
        "forward_backward_ms": trial.forward_backward_ms,
        "total_ms": trial.total_ms,
        "failure": None if trial.failure is None else asdict(trial.failure),
        "lost": trial.lost,
    }
