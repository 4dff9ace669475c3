"""How a virtual board is to behave, and which faults it is to have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from jetbench.virtual.faults import Faults

__all__ = ["RELEASES", "USER", "BoardOptions", "Faults", "Release"]

Release = Literal["r27", "r28", "r32"]
"""``r27`` is JetPack 3.0, ``r28`` JetPack 3.2, both with SSD's Caffe; ``r32`` is JetPack 4 with
BVLC's."""

RELEASES: tuple[Release, ...] = ("r27", "r28", "r32")

USER = "nvidia"
"""The user of every virtual board; its sudo password, where one is wanted, is the same."""


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """What one virtual board is."""

    release: Release = "r28"
    faults: Faults = field(default_factory=Faults)
    time_scale: float = 0.002
    """Seconds that pass here for each second that the board seems to work."""
    seed: int = 0
    """Decides the noise of its times, and by how much this board differs from another."""

    booted_s_ago: int | None = None
    """Seconds since boot when the board is made or booted again; None for long ago.

    R27's jetson_clocks.sh refuses in the first 90.
    """
    start_c: float | None = None
    """The GPU's temperature when the board is made, the rest in proportion; None for cold."""
    time_constant_s: float = 25.0
    """In so many seconds on this machine's clock it comes two thirds nearer to where the
    temperature settles."""

    def numbered(self, number: int) -> BoardOptions:
        """The same for one board of several: noises differ, and R28 and R32 alternate."""
        seed = self.seed * 1000 + number
        alternating: tuple[Release, Release] = ("r28", "r32")
        if self.release not in alternating:
            return replace(self, seed=seed)
        first = alternating.index(self.release)
        return replace(self, release=alternating[(first + number - 1) % 2], seed=seed)
