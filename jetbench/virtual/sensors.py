"""What the sensors of a virtual board show: load, temperatures, power, and an idle GPU's clock.

A board is warm when its `caffe` runs: temperatures approach, with one time constant, those at
which a TX2 settles. They follow the clock on this machine's wall, not the scaled one, so that
they can be watched.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.virtual.files import read_number, write
from jetbench.virtual.power_modes import GPU, GPU_CLOCK, GPU_PEAK_HZ
from jetbench.virtual.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

LOAD_FILE = f"{GPU}/load"
"""Per mille."""
_BUSY_LOAD = 968
_NEIGHBOUR_LOAD = 380
_BOTH_LOAD = 996
GPU_IDLE_C = 38.0
_NEVER_COOLS_C = 40.0
"""By how much hotter."""
BUSY_FILE = "run/caffe.pid"
"""Holds the process that computes, while there is one."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A thermal zone, and where it settles."""

    name: str
    idle_c: float
    busy_c: float
    """In MAXN, with the GPU never idle."""

    @property
    def moves(self) -> bool:
        """Whether it is a sensor; one of them is a constant."""
        return self.idle_c != self.busy_c

    def at(self, share: float, hotter_c: float = 0.0) -> float:
        """Where it settles at a share of the highest power, on a board that is hotter."""
        if not self.moves:
            return self.idle_c
        return self.idle_c + (self.busy_c - self.idle_c) * share + hotter_c


ZONES = (
    Zone("BCPU-therm", 40.0, 57.5),
    Zone("MCPU-therm", 40.0, 57.5),
    Zone("GPU-therm", GPU_IDLE_C, 59.0),
    Zone("PLL-therm", 40.0, 57.0),
    Zone("Tboard_tegra", 34.0, 42.0),
    Zone("Tdiode_tegra", 37.0, 55.0),
    Zone("PMIC-Die", 100.0, 100.0),
    Zone("thermal-fan-est", 39.5, 57.5),
)


@dataclass(frozen=True, slots=True)
class Rail:
    """A channel of the power monitors."""

    name: str
    chip: int
    channel: int
    idle_mw: int
    busy_mw: int
    """In MAXN."""

    @property
    def folder(self) -> str:
        """Where its files lie."""
        return f"/sys/bus/i2c/drivers/ina3221x/0-004{self.chip}/iio:device{self.chip}"

    @property
    def power_file(self) -> str:
        """The file with its power now, in milliwatts."""
        return f"{self.folder}/in_power{self.channel}_input"


RAILS = (
    Rail("VDD_SYS_GPU", 0, 0, 152, 5940),
    Rail("VDD_SYS_SOC", 0, 1, 610, 1220),
    Rail("VDD_4V0_WIFI", 0, 2, 19, 19),
    Rail("VDD_IN", 1, 0, 3390, 13120),
    Rail("VDD_SYS_CPU", 1, 1, 610, 1830),
    Rail("VDD_SYS_DDR", 1, 2, 640, 2310),
)


def is_busy(root: Path) -> bool:
    """Whether a ``caffe`` computes there now."""
    pid = read_number(root, BUSY_FILE)
    if pid is None or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def show_busy(root: Path, *, gpu_hz: int | None = None, neighbour: bool = False) -> int:
    """What the sensors show as soon as a ``caffe`` computes. Called by that process.

    Args:
        root: The board.
        gpu_hz: The GPU's clock, where it is not the highest that is allowed.
        neighbour: Another process uses the GPU as well.

    Returns:
        The GPU's clock.
    """
    write(root, BUSY_FILE, os.getpid())
    write(root, LOAD_FILE, _BOTH_LOAD if neighbour else _BUSY_LOAD)
    gpu_hz = gpu_hz or read_number(root, f"{GPU_CLOCK}/max_freq") or GPU_PEAK_HZ
    write(root, f"{GPU_CLOCK}/cur_freq", gpu_hz)
    _show_power(root, _power_share(gpu_hz))
    return gpu_hz


def show_idle(root: Path, *, neighbour: bool = False) -> None:
    """What the sensors show when no ``caffe`` computes."""
    write(root, LOAD_FILE, load_at_rest(neighbour=neighbour))
    write(root, BUSY_FILE, 0)
    gpu_hz = read_number(root, f"{GPU_CLOCK}/{'max' if neighbour else 'min'}_freq")
    if gpu_hz is not None:
        write(root, f"{GPU_CLOCK}/cur_freq", gpu_hz)
    share = _power_share(gpu_hz or 0) * _NEIGHBOUR_LOAD / 1000 if neighbour else 0.0
    _show_power(root, share)


def load_at_rest(*, neighbour: bool) -> int:
    """The load of the GPU without a ``caffe``, per mille."""
    return _NEIGHBOUR_LOAD if neighbour else 0


def temperatures_mc(*, never_cools: bool, start_c: float | None) -> list[int]:
    """What the zones show when the board is made, in thousandths of a degree.

    Args:
        never_cools: It is hot, and stays so.
        start_c: The GPU's temperature; None for a board at rest.
    """
    hotter_c = 0.0 if start_c is None else start_c - GPU_IDLE_C
    if never_cools:
        hotter_c = _NEVER_COOLS_C
    return [round(zone.at(0.0, hotter_c) * 1000) for zone in ZONES]


class Sensors:
    """The sensors of one board, moved on by whoever serves it."""

    def __init__(self, root: Path) -> None:
        """Start from what the files of the board at `root` say."""
        self._root = root
        self._settings = Settings.read(root)
        self._shown_mc: dict[str, int | None] = {}
        self._exact_c: dict[str, float] = {}
        for number, zone in enumerate(ZONES):
            shown = read_number(root, temperature_file(number))
            self._shown_mc[zone.name] = shown
            self._exact_c[zone.name] = zone.idle_c if shown is None else shown / 1000

    def tick(self, elapsed_s: float) -> None:
        """Let `elapsed_s` pass; files are written only where what they show changes."""
        neighbour = self._settings.faults.gpu_neighbour
        # In this order: one that is just starting shows that it is there before its load.
        loaded = read_number(self._root, LOAD_FILE) != load_at_rest(neighbour=neighbour)
        busy = is_busy(self._root)
        if loaded and not busy:
            # It was killed.
            show_idle(self._root, neighbour=neighbour)
        share = 0.0
        if busy:
            share = _power_share(read_number(self._root, f"{GPU_CLOCK}/cur_freq") or 0)
        kept = math.exp(-elapsed_s / self._settings.time_constant_s)
        for number, zone in enumerate(ZONES):
            target_c = zone.at(share)
            exact_c = target_c + (self._exact_c[zone.name] - target_c) * kept
            if self._settings.faults.never_cools:
                exact_c = zone.at(0.0, _NEVER_COOLS_C)
            self._exact_c[zone.name] = exact_c
            # They have steps of half a degree.
            shown_mc = round(exact_c * 2) * 500
            if shown_mc != self._shown_mc[zone.name]:
                self._shown_mc[zone.name] = shown_mc
                write(self._root, temperature_file(number), shown_mc)


def temperature_file(number: int) -> str:
    """That of a thermal zone, by its number."""
    return f"/sys/devices/virtual/thermal/thermal_zone{number}/temp"


def _show_power(root: Path, share: float) -> None:
    for rail in RAILS:
        write(root, rail.power_file, round(rail.idle_mw + (rail.busy_mw - rail.idle_mw) * share))


def _power_share(gpu_hz: int) -> float:
    """The power that the GPU takes at a clock, as a share of MAXN's."""
    # It goes with the clock and the square of the voltage, which rises more slowly.
    return math.pow(gpu_hz / GPU_PEAK_HZ, 1.5)
