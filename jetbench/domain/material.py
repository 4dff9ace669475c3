"""What a report is made of: sweeps and cases over the nights, with what lies beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jetbench.domain.gate import Gate
    from jetbench.domain.history import ToldSeries
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import Record
    from jetbench.domain.telemetry import Sample


@dataclass(frozen=True, slots=True)
class Profile:
    """The layers of a case on its last night with a number."""

    sweep_id: str
    record: Record
    """With its layers."""
    bounds_ms: Mapping[str, float] = field(default_factory=dict)
    """The forward time that the board's peaks allow, by layer; those that are known."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What a board's sensors said while one trial ran."""

    sweep_id: str
    model: str
    batch: int
    power_mode: str
    """As it was asked for."""
    started_up_s: float
    """The board's uptime when the trial began."""
    samples: tuple[Sample, ...]
    window_up_s: tuple[float, float] | None
    """From ``Benchmark begins`` to ``ends``; None where the log does not say."""


@dataclass(frozen=True, slots=True)
class KeptLog:
    """The raw log of a trial, which the report takes along or has taken along before."""

    board: str
    model: str
    batch: int
    power_mode: str
    """As it was asked for."""
    repeat: int
    trial: int
    path: str | None
    """Its file; None where it is gone from the folder of its sweep."""


@dataclass(frozen=True, slots=True)
class Material:
    """All of it, read before the first page is written."""

    told: tuple[ToldSeries, ...]
    """Each case over the nights, by model and board; the nights that brought nothing, too."""
    sweeps: tuple[KeptSweep, ...]
    """The oldest first, without records."""
    records: Mapping[str, tuple[Record, ...]]
    """By sweep, without layers and trials."""
    names: Mapping[str, tuple[str, ...]]
    """The baselines that a sweep is."""
    gates: Mapping[str, Gate]
    """What the gate said, by sweep."""
    profiles: Mapping[str, Profile]
    """By the id of the case, as `case_id` has it."""
    curves: Mapping[str, tuple[Curve, ...]]
    """By board, of the last sweep that left its telemetry here."""
    logs: Mapping[str, tuple[KeptLog, ...]]
    """By sweep: those that are part of the report."""
