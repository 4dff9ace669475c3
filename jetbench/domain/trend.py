"""How a case went over the nights: steps, a drift, nights that stand alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TrendVerdict = Literal["steady", "changed", "too few", "too noisy"]
"""``too few`` nights, or ``too noisy`` ones, for anything to be said about steps."""


@dataclass(frozen=True, slots=True)
class Step:
    """The times are other ones from some night on."""

    at: int
    """The first night that has them; index into the nights that were given."""
    last_before: int
    """The last night that had the times before."""
    before_ms: float
    """The level of the nights since the step before: their geometric mean."""
    after_ms: float
    """The level of the nights from it to the next step."""
    ratio: float
    """After over before, without what a drift adds."""
    ratio_ci95: tuple[float, float]
    """Both ends of the ratio's 95 % interval."""


@dataclass(frozen=True, slots=True)
class Trend:
    """What is in a series of nights."""

    verdict: TrendVerdict
    """``too few`` nights, or ``too noisy`` ones: nothing can be said about steps."""
    noise: float | None
    """The standard deviation from night to night, as a part of the time."""
    steps: tuple[Step, ...] = ()
    drift_a_day: float | None = None
    """As a part of the time; None where there is none that matters."""
    drift_in_all: float | None = None
    """From the first night to the last, as a part of the time."""
    outliers: tuple[int, ...] = ()
    """Nights that stand alone: before and after them the times are others."""
    gaps: tuple[int, ...] = ()
    """Nights without a number."""
