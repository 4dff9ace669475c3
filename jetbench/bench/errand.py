"""What boards are visited for: how they are reached, and what is here of the sweep already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jetbench.domain.board import Board
    from jetbench.domain.part import KnownBoard
    from jetbench.remote.connection import Link


@dataclass(frozen=True, slots=True)
class Door:
    """How a sweep reaches its boards: what differs between a program and a test."""

    connect: Callable[[Board], Link]
    password: Callable[[Board], str]
    """The sudo password of a board that wants one."""
    holder: str
    """Who measures, as it is shown to others who find a board busy."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done with a plan. The default: measure all of it, from the beginning."""

    known: Mapping[str, KnownBoard] = field(default_factory=dict)
    """Where the sweep was begun earlier: what is here of each board."""
    measure: bool = True
    """Whether what was never measured is to be measured; else boards are only followed."""
    detach: bool = False
    """Whether to leave each board as soon as it measures."""
    forget: bool = True
    """Whether boards delete their journals once these are stored here."""
    wait_s: int = 0
    """How long to wait in line for a board that is in use, seconds."""
