"""How a virtual board is to behave, and which faults it is to have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Release = Literal["r28", "r32"]
"""``r28`` is JetPack 3 with SSD's Caffe, ``r32`` JetPack 4 with BVLC's."""

SudoMode = Literal["nopasswd", "password", "none"]
"""``none``: the user is not in sudoers."""

USER = "nvidia"
"""The user of every virtual board; its sudo password, where one is wanted, is the same."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a board. The default is a board in good health."""

    no_sudo: bool = False
    """The user is not in sudoers."""
    password: bool = False
    """sudo wants the password, ``nvidia``."""
    no_caffe: bool = False
    """There is no Caffe."""
    cpu_only: bool = False
    """Caffe was built without CUDA: ``-gpu`` fails as it does there."""
    nvpmodel_fails_silently: bool = False
    """It prints NVPM ERROR, changes nothing, and exits 0."""
    clocks_will_not_lock: bool = False
    """jetson_clocks complains, changes nothing, and exits 0."""
    stays_off: bool = False
    """Connections are refused."""
    drop_after_bytes: int | None = None
    """Each connection breaks once the board has sent so many bytes over it."""

    @property
    def sudo(self) -> SudoMode:
        """What sudo does for the user."""
        if self.no_sudo:
            return "none"
        return "password" if self.password else "nopasswd"


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """What one virtual board is."""

    release: Release = "r28"
    faults: Faults = field(default_factory=Faults)
    time_scale: float = 0.002
    """Seconds that pass here for each second that the board seems to work."""
    seed: int = 0
    """Decides the noise of its times, and by how much this board differs from another."""

    def numbered(self, number: int) -> BoardOptions:
        """The same for one board of several: releases alternate, noises differ."""
        releases: tuple[Release, Release] = ("r28", "r32")
        first = releases.index(self.release)
        return replace(
            self, release=releases[(first + number - 1) % 2], seed=self.seed * 1000 + number
        )
