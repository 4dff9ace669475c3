"""What the history of all sweeps is asked for, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jetbench.domain.record import Record, Status
    from jetbench.domain.trend import Step, Trend


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are wanted: those that fit in every respect; an empty one fits all."""

    boards: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Of the board as the inventory had it when the sweep was planned."""
    models: tuple[str, ...] = ()
    since_utc: str | None = None
    """The sweep began then or later; ISO 8601, or the beginning of it."""
    until_utc: str | None = None
    """The sweep began before the end of that day, minute, or second."""
    statuses: tuple[Status, ...] = ()
    simulated: bool | None = None
    """None: both."""


@dataclass(frozen=True, slots=True)
class SweepLine:
    """A sweep in a list of sweeps."""

    id: str
    """Of the sweep."""
    started_utc: str | None
    """When it began."""
    finished_utc: str | None
    """When it ended; None where it has not."""
    jetbench: str | None
    """The version of the program that measured it."""
    simulated: bool
    """Whether any board of it was a virtual one."""
    interrupted: bool
    """Whether it was ended before all was measured."""
    names: tuple[str, ...]
    """The baselines that it is."""
    boards: tuple[str, ...]
    """The names of its boards."""
    models: tuple[str, ...]
    """The names of its models."""
    counts: Mapping[Status, int] = field(default_factory=dict)
    """How many of its records have which status; of those that were asked for."""


@dataclass(frozen=True, slots=True)
class Night:
    """One record in the series of its case."""

    sweep_id: str
    """The id of the sweep that has it."""
    started_utc: str
    """When the sweep began."""
    record: Record
    """Without trials and layers: what a series needs is in the rest."""


@dataclass(frozen=True, slots=True)
class Series:
    """A case over the nights, the oldest first. All of its records have the same key."""

    board: str
    model: str
    nights: tuple[Night, ...]

    @property
    def typical(self) -> Record:
        """A record that knows all of the case's key: one that was lost may not."""
        records = [night.record for night in self.nights]
        return next((one for one in reversed(records) if one.forward_ms is not None), records[-1])


@dataclass(frozen=True, slots=True)
class ToldStep:
    """A step, and what else became different with it."""

    step: Step
    changed: tuple[str, ...]
    """What else is not the same from that night on, in words."""
    layers: tuple[str, ...]
    """The names of those that carry it."""


@dataclass(frozen=True, slots=True)
class ToldSeries:
    """A series, and what is in it."""

    series: Series
    trend: Trend
    steps: tuple[ToldStep, ...]
