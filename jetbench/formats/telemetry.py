"""Lines of telemetry: text in, one sample out.

Two kinds of lines are read. Those of NVIDIA's ``tegrastats``, of L4T R21 to R32: each release
has added pieces, renamed some and put them in another order, so that every piece is looked for
by its own shape, anywhere in the line, and what has no known shape is left out. And those of
our own sampler, for boards without a ``tegrastats``: ``sysfs key=value …``, with

=================  =====================================================================
``gpu_cur_hz``     clock of the GPU
``gpu_load_pm``    its load, per mille, as the driver averages it
``emc_hz``         clock of the memory
``cpu_khz``        clocks of the cores that are online, with commas between them
``temp_NAME``      millidegrees of the thermal zone whose type is NAME
``rail_NAME``      milliwatts of the rail that INA3221 calls NAME
``ram_kb``         memory in use
``swap_kb``        swap in use
=================  =====================================================================

A number that no board can mean (a clock of 0, a load above 100 %, a sensor at -51 °C) is as
good as none.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from jetbench.domain.telemetry import Sample
from jetbench.formats.words import whole

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LINE_CHARS = 4096
"""The rest of a longer line is not read: tegrastats writes some 500."""
_MAX_CORES = 16
_MAX_NAMES = 16
"""Of sensors, and of rails: a TX2 with its carrier has nine of each."""
_MAX_MHZ = 10_000.0
_MAX_W = 1000.0
_MAX_MIB = 2.0**20
_COLDEST_C, _HOTTEST_C = -40.0, 150.0
"""Beyond what the sensors of a Tegra measure; a broken one says less, or absolute zero."""
_PMIC_C = {50.0, 100.0}
"""The sensor of the power chip knows only one value, by release; it measures nothing."""

# Pieces of tegrastats' lines: a name, a blank and one of these; a temperature is one word.
_NUMBER = r"([0-9]{1,9})"
_MEMORY = re.compile(rf"{_NUMBER}/[0-9]{{1,9}}([kMG])B")
_RAIL = re.compile(rf"{_NUMBER}(?:mW)?/[0-9]{{1,9}}(?:mW)?")
_UNIT = re.compile(rf"{_NUMBER}%(?:@\[?{_NUMBER}.*)?")
_TEMPERATURE = re.compile(r"([A-Za-z][\w.-]{0,39})@(-?[0-9]{1,4}(?:\.[0-9]{1,6})?)C", re.ASCII)
_CORES = re.compile(rf"\[([^\]]*)\](?:@{_NUMBER})?.*")
_CORE = re.compile(rf"{_NUMBER}%(?:@{_NUMBER})?")
_DIVISORS = {"k": 1024.0, "M": 1.0, "G": 1 / 1024}
"""From the unit of the memory to MiB."""
# Our own lines.
_SYSFS = "sysfs "
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,39}", re.ASCII)


def parse_sample(text: str, up_s: float) -> Sample | None:
    """What one line of telemetry says.

    Args:
        text: A line of tegrastats, or ``sysfs key=value …``.
        up_s: The board's uptime when it was read, seconds.

    Returns:
        None where it says nothing that is known.
    """
    line = text[:MAX_LINE_CHARS].strip()
    sample = _sysfs(line, up_s) if line.startswith(_SYSFS) else _tegrastats(line, up_s)
    return None if sample == Sample(up_s) else sample


def _tegrastats(line: str, up_s: float) -> Sample:
    units: dict[str, re.Match[str]] = {}
    memory: dict[str, float | None] = {}
    cores: re.Match[str] | None = None
    temperatures: list[tuple[str, float]] = []
    rails: list[tuple[str, str]] = []
    name = ""
    for word in line.split():
        if word[0] == "[" and name in {"CPU", "cpu"}:
            cores = _CORES.fullmatch(word)
        elif "@" in word and word[-1] == "C":
            if found := _TEMPERATURE.fullmatch(word):
                temperatures.append((found[1], float(found[2])))
        elif "/" in word:
            if name in {"RAM", "SWAP"}:
                if found := _MEMORY.fullmatch(word):
                    memory[name] = _scaled(found[1], _DIVISORS[found[2]], _MAX_MIB)
            elif _NAME.fullmatch(name) and (found := _RAIL.fullmatch(word)):
                rails.append((name, found[1]))
        elif "%" in word and (found := _UNIT.fullmatch(word)):
            units[name.removesuffix("_FREQ")] = found
        name = word
    gpu, emc = units.get("GR3D"), units.get("EMC")
    cpu_load, cpu_mhz = _cores(cores)
    return Sample(
        up_s,
        gpu_mhz=_mhz(gpu[2]) if gpu else None,
        gpu_load=_scaled(gpu[1], 100, 1.0) if gpu else None,
        emc_mhz=_mhz(emc[2]) if emc else None,
        emc_load=_scaled(emc[1], 100, 1.0) if emc else None,
        cpu_mhz=cpu_mhz,
        cpu_load=cpu_load,
        temps_c=_temperatures(temperatures),
        rails_w=_rails(rails),
        ram_mib=memory.get("RAM"),
        swap_mib=memory.get("SWAP"),
    )


def _sysfs(line: str, up_s: float) -> Sample:
    pieces = [(key, value) for key, _, value in (word.partition("=") for word in line.split())]
    fields = dict(pieces)
    cores = fields.get("cpu_khz", "").split(",")[:_MAX_CORES]
    return Sample(
        up_s,
        gpu_mhz=_mhz(fields.get("gpu_cur_hz"), 1e6),
        gpu_load=_scaled(fields.get("gpu_load_pm"), 1000, 1.0),
        emc_mhz=_mhz(fields.get("emc_hz"), 1e6),
        cpu_mhz=_known(_mhz(core, 1e3) for core in cores),
        temps_c=_temperatures(
            (name, number / 1e3)
            for name, value in _named(pieces, "temp_")
            if (number := whole(value)) is not None
        ),
        rails_w=_rails(_named(pieces, "rail_")),
        ram_mib=_scaled(fields.get("ram_kb"), 1024, _MAX_MIB),
        swap_mib=_scaled(fields.get("swap_kb"), 1024, _MAX_MIB),
    )


def _cores(found: re.Match[str] | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Loads and clocks of the cores that are not ``off``.

    Up to R24 there is one clock for all of them, behind the bracket.
    """
    if found is None:
        return (), ()
    each = [core for text in found[1].split(",") if (core := _CORE.fullmatch(text))][:_MAX_CORES]
    loads = _known(_scaled(core[1], 100, 1.0) for core in each)
    return loads, _known(_mhz(core[2] or found[2]) for core in each)


def _temperatures(pieces: Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """By sensor, in the order of their names, whatever the order of the pieces."""
    found: dict[str, float] = {}
    for zone, degrees in pieces:
        name = zone.removesuffix("-therm")
        name = "GPU" if name.upper() == "GPU" else name
        constant = name.startswith("PMIC") and degrees in _PMIC_C
        if _COLDEST_C <= degrees <= _HOTTEST_C and not constant and len(found) < _MAX_NAMES:
            found[sys.intern(name)] = degrees
    return tuple(sorted(found.items()))


def _rails(pieces: Iterable[tuple[str, str]]) -> tuple[tuple[str, float], ...]:
    """By rail, in the order of their names; the first number is the one of now."""
    found: dict[str, float] = {}
    for name, milliwatts in pieces:
        power_w = _scaled(milliwatts, 1000, _MAX_W)
        if power_w is not None and len(found) < _MAX_NAMES:
            found[sys.intern(name)] = power_w
    return tuple(sorted(found.items()))


def _named(pieces: Iterable[tuple[str, str]], prefix: str) -> list[tuple[str, str]]:
    """The pieces whose key begins so, under the name that follows."""
    named = [(key[len(prefix) :], value) for key, value in pieces if key.startswith(prefix)]
    return [(name, value) for name, value in named if _NAME.fullmatch(name)]


def _known(values: Iterable[float | None]) -> tuple[float, ...]:
    return tuple(value for value in values if value is not None)


def _mhz(text: str | None, divisor: float = 1) -> float | None:
    """A clock; a unit that is switched off has none."""
    return _scaled(text, divisor, _MAX_MHZ) or None


def _scaled(text: str | None, divisor: float, most: float) -> float | None:
    """A whole number in another unit; None where it is none, below zero or beyond belief."""
    number = whole(text)
    if number is None or not 0 <= number / divisor <= most:
        return None
    return number / divisor
