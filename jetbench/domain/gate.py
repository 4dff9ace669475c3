"""What the gate of a night says: is anything slower than it was?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GateVerdict = Literal["green", "red", "unconfirmed", "nothing compared"]
"""``red``: something is slower, and a second look says so as well; ``unconfirmed``: something
looked slower, and could not be looked at again; ``nothing compared``: no case has a verdict."""
Belief = Literal["confirmed", "not confirmed", "not measured again", "as usual"]
"""``as usual``: both looks say so, and the nights of this case usually differ by as much."""


@dataclass(frozen=True, slots=True)
class GateLayer:
    """A layer that carries much of a regression."""

    name: str
    before_ms: float
    now_ms: float
    share: float
    """Of the difference."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A case that the first look found slower, and what the second one said."""

    board: str
    model: str
    batch: int
    power_mode: str | None
    before_ms: float
    """The mean forward time of the baseline."""
    now_ms: float
    """That of this night; of both looks, where there were two."""
    ratio: float
    """Now over before, of the first look."""
    ratio_ci95: tuple[float, float]
    belief: Belief
    second_ratio: float | None = None
    """Of the second look alone."""
    changed: tuple[str, ...] = ()
    """What else is not the same as at the baseline: ``GPU clock 1300 → 829 MHz``."""
    layers: tuple[GateLayer, ...] = ()


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """A case that could not be compared with its baseline."""

    board: str
    model: str
    batch: int
    why: str


@dataclass(frozen=True, slots=True)
class Gate:
    """A night held against its baseline."""

    baseline: str
    """The name, as it was asked for."""
    baseline_id: str
    sweep_id: str
    compared: int
    """How many cases have a verdict."""
    faster: int
    suspicions: tuple[Suspicion, ...]
    no_verdict: tuple[NoVerdict, ...]
    second_look_id: str | None = None
    """The sweep in which the suspected cases were measured again."""

    @property
    def regressions(self) -> tuple[Suspicion, ...]:
        """What is slower, twice."""
        return tuple(one for one in self.suspicions if one.belief == "confirmed")

    @property
    def verdict(self) -> GateVerdict:
        """Of the whole night."""
        if self.regressions:
            return "red"
        if any(one.belief == "not measured again" for one in self.suspicions):
            return "unconfirmed"
        return "green" if self.compared else "nothing compared"
