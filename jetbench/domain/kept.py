"""A sweep as it is read back from where it was kept: what its document says, no plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jetbench.domain.record import FleetOutlier, Record, SweepResult


@dataclass(frozen=True, slots=True)
class KeptBoard:
    """One board's part in a sweep, as far as others want to know it later."""

    name: str
    reached: bool
    """Whether it could be connected to, and answered."""
    error: str | None
    hint: str | None = None
    changed: bool = False
    """Whether power mode or clocks were touched."""
    restored: bool | None = None
    """Whether they were put back; None where it is not known."""


@dataclass(frozen=True, slots=True)
class KeptSweep:
    """The result of a sweep that was measured before."""

    id: str
    """Of the sweep."""
    source: str
    """Where it was read from, for messages."""
    started_utc: str | None
    """When it began."""
    finished_utc: str | None
    """When it ended."""
    command: tuple[str, ...]
    jetbench: str | None
    """The version of the program that wrote it."""
    simulated: bool
    """Whether any board of it was a virtual one."""
    interrupted: bool
    """Whether it was ended before all was measured."""
    boards: tuple[KeptBoard, ...]
    records: tuple[Record, ...]
    """Without raw logs and telemetry of single trials, which stay in the sweep's folder."""
    fleet: tuple[FleetOutlier, ...] = ()
    second_look_of: str | None = None
    """The sweep that this one was to confirm, where it was measured for that only."""


def as_kept(result: SweepResult) -> KeptSweep:
    """A result as it will be read back."""
    return KeptSweep(
        id=result.plan.sweep_id,
        source=result.plan.sweep_id,
        started_utc=result.started_utc,
        finished_utc=result.finished_utc,
        command=result.plan.command,
        jetbench=result.jetbench,
        simulated=result.simulated,
        interrupted=result.interrupted,
        boards=tuple(
            KeptBoard(
                board.name,
                board.facts is not None,
                board.error,
                board.hint,
                board.changed,
                board.restored,
            )
            for board in result.boards
        ),
        records=result.records,
        fleet=result.fleet,
        second_look_of=result.plan.second_look_of,
    )
