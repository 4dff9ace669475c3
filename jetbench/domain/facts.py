"""What a board says of itself, as read by the probe. Everything that it does not say is None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SudoKind = Literal["nopasswd", "guard", "limited", "password", "absent"]
"""What sudo allows without a password: everything; our guard, which is installed; another guard
that is installed, and nothing else; nothing. Or there is none."""


@dataclass(frozen=True, slots=True)
class PowerMode:
    """A mode of nvpmodel, as the board's own configuration names it."""

    id: int
    """Its number in nvpmodel's configuration."""
    name: str | None
    """Its name there, such as ``MAXN``."""


@dataclass(frozen=True, slots=True)
class CaffeFacts:
    """The ``caffe`` program that would be run."""

    path: str
    """Of the program, on the board."""
    version: str | None
    """As the program says it."""
    fork: str | None
    """``bvlc``, ``ssd`` or ``nvidia``, where it can be told."""
    has_phase: bool | None
    """Whether it knows ``-phase``; without it everything runs in phase TRAIN."""
    gpu_build: bool | None
    """Whether it was built with CUDA."""
    build_id: str | None
    """Size and modification time of the library, to tell two builds apart."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the board's sensors say at one moment."""

    gpu_temp_c: float | None = None
    """Of the GPU's sensor."""
    cpu_temp_c: float | None = None
    """Of the CPU's sensor."""
    gpu_mhz: float | None = None
    """The clock of the GPU."""
    gpu_min_mhz: float | None = None
    """The lowest clock that the GPU may have."""
    gpu_max_mhz: float | None = None
    """The highest clock that the GPU may have."""
    gpu_load: float | None = None
    """0 to 1, as the driver averages it."""
    cpu_online: str | None = None
    """The cores that are on, such as ``0,3-5``."""
    cpu_max_mhz: float | None = None
    """The highest limit of a core that is on."""
    power_mode_id: int | None = None
    """As nvpmodel has noted it."""

    @property
    def gpu_locked(self) -> bool | None:
        """Whether the GPU's clock cannot move; None where the board does not say."""
        if self.gpu_mhz is None or self.gpu_min_mhz is None or self.gpu_max_mhz is None:
            return None
        return self.gpu_min_mhz == self.gpu_mhz == self.gpu_max_mhz


@dataclass(frozen=True, slots=True)
class BoardFile:
    """A file of the board that was asked for by its path: its content, or why not."""

    path: str
    content: bytes | None
    error: str | None


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """The answer of one probe."""

    simulated: bool
    """Whether it is a virtual board."""
    user: str | None
    """Who is logged in."""
    hostname: str | None
    """What the board calls itself in its network."""
    hardware: str | None
    """The model of the board, by its device tree."""
    serial: str | None
    """The board's serial number."""
    l4t: str | None
    """NVIDIA's Linux for Tegra, such as ``28.2.1``."""
    cuda: str | None
    """The version of CUDA."""
    cudnn: str | None
    """The version of cuDNN."""
    tensorrt: str | None
    """The version of TensorRT."""
    caffe: CaffeFacts | None
    """The program that would be run; None where there is none."""
    caffe_wanted: str | None
    """The path that the inventory's words mean on this board."""
    caffe_found: tuple[str, ...]
    """Every ``caffe`` in the usual places, whether wanted or not."""
    sudo: SudoKind
    """What sudo allows without a password: everything (``nopasswd``); our guard, which is
    installed (``guard``); another guard that is installed (``limited``); nothing (``password``).
    ``absent``: there is no sudo."""
    nvpmodel: str | None
    """The path of the program."""
    power_mode: PowerMode | None
    """The one that is set."""
    power_modes: tuple[PowerMode, ...]
    """Those that nvpmodel's configuration has."""
    jetson_clocks: str | None
    """The path of the program."""
    clocks_locked: bool | None
    """Whether GPU and CPU clocks cannot move."""
    tegrastats: str | None
    """The path of the program."""
    conditions: Conditions
    """What the sensors say."""
    mem_total_bytes: int | None
    """Memory in all."""
    mem_available_bytes: int | None
    """Memory that programs can have."""
    disk_free_bytes: int | None
    """Room for files in the user's home."""
    home_writable: bool
    """Whether files can be written in the user's home."""
    uptime_s: float | None
    """Since the board was booted."""
    load: str | None
    """As ``/proc/loadavg`` has it: first the averages of 1, 5 and 15 minutes."""
    gpu_users: tuple[str, ...]
    """``PID:NAME`` of the processes that have the GPU open."""
    held_by: str | None
    """Who measures there now, in the words of the lock's holder."""
    left_behind: bool
    """A guard was killed or the board rebooted: its power state is not its own."""
    missing_tools: tuple[str, ...]
    """Programs of the system that are needed, and not there."""
    utc_s: int | None
    """The board's clock, seconds since 1970."""
    clock_skew_s: float | None
    """How far the board's clock is ahead of ours; half the round trip is uncertain."""
    files: tuple[BoardFile, ...]
    guard_refused: str | None = None
    """Why the installed guard does nothing; None where it does, or is not ours."""
    clocks_untrusted: bool = False
    """Others than root can change jetson_clocks, so the installed guard will not run it."""
