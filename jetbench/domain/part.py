"""A sweep's parts on one board: what a board keeps of each, and what is kept of them here.

A sweep that was cut off on a board is taken up again there as its next part: with the trials
that were never measured, under the sweep's id and the part's number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SWEEP_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
"""What a sweep is called: when it was planned (UTC), and a random number."""

_KEY = re.compile(rf"({SWEEP_ID.pattern})(?:~([1-9][0-9]{{0,3}}))?")


def part_key(sweep_id: str, part: int) -> str:
    """What a part is called on a board: the sweep's id, from the second part on with ``~2``."""
    return sweep_id if part == 1 else f"{sweep_id}~{part}"


def started_as(fields: Mapping[str, str]) -> str:
    """What tells a part from every other one, by the fields of the first event of its journal."""
    return "/".join(fields.get(key, "") for key in ("boot", "pid", "up"))


def split_key(key: str) -> tuple[str, int] | None:
    """The sweep's id and the part's number; None for what is no key."""
    found = _KEY.fullmatch(key)
    return None if found is None else (found[1], int(found[2] or 1))


@dataclass(frozen=True, slots=True)
class PartOnBoard:
    """What a board says of a part that it runs, or whose journal it keeps."""

    sweep_id: str
    """Of the sweep that it is a part of."""
    part: int
    """Its number, from 1: what was taken up again is the next part."""
    board: str | None
    """What the host that started it calls the board."""
    who: str | None
    """Who started it, and from where."""
    since_utc: str | None
    """When it began."""
    running: bool
    """Whether its runner or its guard is still there."""
    size_bytes: int
    """Of the journal so far."""
    total: int
    """Trials that it was given."""
    done: int
    """Trials that have ended, one way or the other."""
    failed: int
    """Those of them that did not end with status 0."""
    doing: str | None = None
    """The trial that runs, in words."""
    doing_s: float | None = None
    """For how long."""
    end: str | None = None
    """The reason that its journal ends with."""
    start: str | None = None
    """What tells it from every other part: how its journal begins, see `started_as`."""


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """What a board says of all sweeps there."""

    held_by: Mapping[str, str] | None
    """``who``, ``since`` and ``sweep`` of the lock's holder; None where nobody has it."""
    left_behind: bool
    """A guard's saved power state is there; while a sweep runs, that is as it should be."""
    parts: tuple[PartOnBoard, ...]
    """What runs there, or has ended and can be fetched."""


@dataclass(frozen=True, slots=True)
class KnownBoard:
    """What this machine has of a board's part in a sweep that it takes up again."""

    probe: bytes | None = None
    """The board's answer to the probe, where the board was ever reached."""
    models: Mapping[int, bytes] = field(default_factory=dict)
    """The board's own nets, patched, by the case's number."""
    sizes: Mapping[int, int] = field(default_factory=dict)
    """How much of each part's journal is here, in bytes, by the part's number."""
    starts: Mapping[int, str] = field(default_factory=dict)
    """How each part's journal begins, as `started_as` has it."""
    settled: frozenset[int] = frozenset()
    """The ids of the trials that need not be run again."""
    begun: frozenset[int] = frozenset()
    """The ids of those that were begun at least once."""
