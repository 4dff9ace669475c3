"""A night as a text file of Prometheus, for node_exporter's textfile collector.

Exposition format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, get_args

from jetbench.domain.gate import GateVerdict
from jetbench.domain.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jetbench.domain.gate import Gate
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import Record

Labels = tuple[tuple[str, str], ...]

_HELP = {
    "jetbench_night_exit_code": "Exit code of the night: 0 is well, 4 a regression.",
    "jetbench_night_started_timestamp_seconds": "When the night began.",
    "jetbench_night_cases": "Cases of the night, by status.",
    "jetbench_night_gate": "1 for what the gate says, 0 for what else it could.",
    "jetbench_forward_seconds": "Mean forward time of a case over its processes.",
    "jetbench_forward_stdev_seconds": "Standard deviation between the processes of a case.",
    "jetbench_gpu_hertz": "Highest GPU clock while the case was measured.",
    "jetbench_power_watts": "Mean power of the board while the case was measured.",
    "jetbench_regression_ratio": "How many times as long as at the baseline a slower case takes.",
}
_MHZ = 1e6
_MS = 1e-3


def prometheus_text(
    sweep: KeptSweep | None, gate: Gate | None = None, exit_code: int | None = None
) -> str:
    """All metrics of a night; those of one that never began are its exit code alone."""
    samples: dict[str, dict[Labels, float]] = {name: {} for name in _HELP}
    if exit_code is not None:
        samples["jetbench_night_exit_code"][()] = exit_code
    if sweep is not None:
        _add_night(samples, sweep, gate)
        for record in sweep.records:
            _add_case(samples, record)
        for one in gate.regressions if gate else ():
            mode = "" if one.power_mode is None else one.power_mode
            labels = _labels(board=one.board, model=one.model, batch=one.batch, power_mode=mode)
            samples["jetbench_regression_ratio"][labels] = one.ratio
    return "".join(_lines(samples))


def _add_night(
    samples: Mapping[str, dict[Labels, float]], sweep: KeptSweep, gate: Gate | None
) -> None:
    for status in get_args(Status):
        count = sum(record.status == status for record in sweep.records)
        samples["jetbench_night_cases"][_labels(status=status)] = count
    began = _seconds(sweep.started_utc)
    if began is not None:
        samples["jetbench_night_started_timestamp_seconds"][()] = began
    for verdict in get_args(GateVerdict) if gate else ():
        is_it = gate is not None and gate.verdict == verdict
        samples["jetbench_night_gate"][_labels(verdict=verdict)] = float(is_it)


def _add_case(samples: Mapping[str, dict[Labels, float]], record: Record) -> None:
    """The numbers of a case; one that has none has no line, as Prometheus wants it."""
    mode = record.power_mode
    labels = _labels(
        board=record.board,
        model=record.model,
        batch=record.batch,
        phase=record.phase,
        power_mode="" if mode is None else mode.name or str(mode.id),
        status=record.status,
        simulated=str(record.simulated).lower(),
    )
    time, conditions = record.forward_ms, record.conditions
    for name, value, unit in (
        ("jetbench_forward_seconds", time.mean if time else None, _MS),
        ("jetbench_forward_stdev_seconds", time.stdev if time else None, _MS),
        ("jetbench_gpu_hertz", conditions.gpu_mhz_max, _MHZ),
        ("jetbench_power_watts", conditions.power_w_mean, 1.0),
    ):
        if value is not None:
            # A net of the same name with another shape would be the same series twice, over
            # which the collector refuses the whole file: the first one stays.
            samples[name].setdefault(labels, value * unit)


def _labels(**labels: object) -> Labels:
    return tuple((name, str(value)) for name, value in labels.items())


def _lines(samples: Mapping[str, Mapping[Labels, float]]) -> Iterable[str]:
    for name, of_one in samples.items():
        if of_one:
            yield f"# HELP {name} {_HELP[name]}\n# TYPE {name} gauge\n"
        for labels, value in of_one.items():
            told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
            yield f"{name}{{{told}}} {value!r}\n" if told else f"{name} {value!r}\n"


def _escaped(text: str) -> str:
    """As the format has it; what is no text at all (half a surrogate pair) becomes a mark."""
    plain = text.encode("utf-8", "replace").decode()
    return plain.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _seconds(utc: str | None) -> float | None:
    if utc is None:
        return None
    try:
        at = datetime.fromisoformat(utc.replace("Z", "+00:00"))
        return at.replace(tzinfo=at.tzinfo or timezone.utc).timestamp()
    except (ValueError, OverflowError):
        return None
