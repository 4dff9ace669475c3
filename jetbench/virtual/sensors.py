"""What the sensors of a virtual board show: load, temperatures, power, and an idle GPU's clock.

A board is warm when its `caffe` runs: temperatures approach, with one time constant, those at
which a TX2 settles. They follow the clock on this machine's wall, not the scaled one, so that
they can be watched.
"""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.virtual.power_modes import GPU, GPU_CLOCK, GPU_PEAK_HZ

if TYPE_CHECKING:
    from pathlib import Path

TIME_CONSTANT_S = 25.0
LOAD_FILE = f"{GPU}/load"
BUSY_FILE = "run/caffe.pid"
"""Holds the process that computes, while there is one."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A thermal zone, and where it settles."""

    name: str
    idle_c: float
    busy_c: float
    """In MAXN, with the GPU never idle."""


ZONES = (
    Zone("BCPU-therm", 40.0, 57.5),
    Zone("MCPU-therm", 40.0, 57.5),
    Zone("GPU-therm", 38.0, 59.0),
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


def read_number(root: Path, path: str) -> int | None:
    """The number in a file of the board; None where there is none, or it is being written."""
    try:
        return int((root / path.lstrip("/")).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


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


def show_busy(root: Path) -> None:
    """What the sensors show as soon as a ``caffe`` computes. Called by that process."""
    _write(root, BUSY_FILE, os.getpid())
    _write(root, LOAD_FILE, 968)
    highest_hz = read_number(root, f"{GPU_CLOCK}/max_freq")
    if highest_hz is not None:
        _write(root, f"{GPU_CLOCK}/cur_freq", highest_hz)
    _show_power(root, busy=True)


class Sensors:
    """The sensors of one board, moved on by whoever serves it."""

    def __init__(self, root: Path) -> None:
        """Start from what the files of the board at `root` say."""
        self._root = root
        self._shown_mc: dict[str, int | None] = {}
        self._exact_c: dict[str, float] = {}
        for number, zone in enumerate(ZONES):
            shown = read_number(root, _temperature_file(number))
            self._shown_mc[zone.name] = shown
            self._exact_c[zone.name] = zone.idle_c if shown is None else shown / 1000

    def tick(self, elapsed_s: float) -> None:
        """Let `elapsed_s` pass; files are written only where what they show changes."""
        busy = is_busy(self._root)
        if not busy and read_number(self._root, LOAD_FILE) != 0:
            self._show_idle()
        share = _power_share(self._root) if busy else 0.0
        kept = math.exp(-elapsed_s / TIME_CONSTANT_S)
        for number, zone in enumerate(ZONES):
            target_c = zone.idle_c + (zone.busy_c - zone.idle_c) * share
            exact_c = target_c + (self._exact_c[zone.name] - target_c) * kept
            self._exact_c[zone.name] = exact_c
            # They have steps of half a degree.
            shown_mc = round(exact_c * 2) * 500
            if shown_mc != self._shown_mc[zone.name]:
                self._shown_mc[zone.name] = shown_mc
                _write(self._root, _temperature_file(number), shown_mc)

    def _show_idle(self) -> None:
        _write(self._root, LOAD_FILE, 0)
        lowest_hz = read_number(self._root, f"{GPU_CLOCK}/min_freq")
        if lowest_hz is not None:
            _write(self._root, f"{GPU_CLOCK}/cur_freq", lowest_hz)
        _show_power(self._root, busy=False)


def _temperature_file(number: int) -> str:
    return f"/sys/devices/virtual/thermal/thermal_zone{number}/temp"


def _show_power(root: Path, *, busy: bool) -> None:
    share = _power_share(root) if busy else 0.0
    for rail in RAILS:
        _write(root, rail.power_file, round(rail.idle_mw + (rail.busy_mw - rail.idle_mw) * share))


def _power_share(root: Path) -> float:
    """The power that the board's highest clock takes, as a share of MAXN's."""
    highest_hz = read_number(root, f"{GPU_CLOCK}/max_freq")
    # It goes with the clock and the square of the voltage, which rises more slowly.
    return 0.0 if highest_hz is None else (highest_hz / GPU_PEAK_HZ) ** 1.5


def _write(root: Path, path: str, value: int) -> None:
    file = root / path.lstrip("/")
    new = file.with_name(f".{file.name}.{os.getpid()}")
    # In one step, so that nobody reads half a number. The board may just be removed.
    with contextlib.suppress(OSError):
        new.write_text(f"{value}\n", encoding="ascii")
        new.replace(file)
