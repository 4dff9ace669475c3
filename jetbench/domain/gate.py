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
    """As the net has it."""
    before_ms: float
    """Its mean forward time at the baseline."""
    now_ms: float
    """That of this night."""
    share: float
    """Of the difference."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A case that the first look found slower, and what the second one said."""

    board: str
    """Its name in the inventory."""
    model: str
    """The name that the model is shown under."""
    batch: int
    """The batch size."""
    power_mode: str | None
    """The name of the power mode; its number where it has none."""
    before_ms: float
    """The mean forward time of the baseline."""
    now_ms: float
    """That of this night; of both looks, where there were two."""
    ratio: float
    """Now over before, of the first look."""
    ratio_ci95: tuple[float, float]
    """Both ends of the ratio's 95 % interval."""
    belief: Belief
    """Whether the second look says so as well. ``as usual``: both looks do, and the nights of
    this case usually differ by as much."""
    second_ratio: float | None = None
    """Of the second look alone."""
    changed: tuple[str, ...] = ()
    """What else is not the same as at the baseline: ``GPU clock 1300 → 829 MHz``."""
    layers: tuple[GateLayer, ...] = ()
    """Those that carry much of it."""


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """A case that could not be compared with its baseline."""

    board: str
    """Its name in the inventory."""
    model: str
    """The name that the model is shown under."""
    batch: int
    """The batch size."""
    why: str
    """What forbids the comparison."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A night held against its baseline."""

    baseline: str
    """The name, as it was asked for."""
    baseline_id: str
    """The id of the baseline's sweep."""
    sweep_id: str
    """The id of the night's sweep."""
    compared: int
    """How many cases have a verdict."""
    faster: int
    """How many cases are faster than the baseline."""
    suspicions: tuple[Suspicion, ...]
    """What looked slower."""
    no_verdict: tuple[NoVerdict, ...]
    """What could not be compared."""
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
