"""What NVIDIA's tools and files on a board print: text in, values out.

Formats as of L4T R27, R28 and R32. Every release prints a little more than the one before,
so each reader looks for the words it knows, anywhere, and leaves the rest alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jetbench.domain.facts import Conditions, PowerMode
from jetbench.formats.words import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

_RELEASE = re.compile(r"#\s*R(\d+)\s*\(release\),\s*REVISION:\s*([\d.]+)")
_MODE_NAME = re.compile(r"NV Power Mode:\s*(\S+)")
_MODE_ID = re.compile(r"^[ \t\r]*([0-9]{1,9})[ \t\r]*$", re.MULTILINE)
"""Blanks of its own line only: with all of them, empty lines would cost the square of their
number."""
_MODE_ENTRY = re.compile(r"<\s*POWER_MODEL\s+ID=([0-9]{1,9})\s+NAME=([^\s>]+)")
_GPU_CLOCKS = re.compile(r"^GPU MinFreq=(\d+) MaxFreq=(\d+) CurrentFreq=(\d+)", re.MULTILINE)
_CORE = re.compile(
    r"^cpu\d+:(?: Online=(\d))? Go(?:ver|nver)nor=\S+ "
    r"MinFreq=(\d+) MaxFreq=(\d+) CurrentFreq=(\d+)",
    re.MULTILINE,
)
_CORE_LIST = re.compile(r"[0-9]{1,4}(?:[-,][0-9]{1,4}){0,63}")
"""As ``/sys/devices/system/cpu/online`` has it."""
_FULL_LOAD_PM = 1000
_MAX_MODE = 10**9


def parse_l4t_release(text: str) -> str | None:
    """The L4T release in the first line of ``/etc/nv_tegra_release``, such as ``28.2.1``."""
    match = _RELEASE.search(text)
    return f"{match[1]}.{match[2]}" if match else None


def parse_nvpmodel_query(text: str) -> PowerMode | None:
    """The mode that ``nvpmodel -q`` (with or without ``--verbose``) prints.

    The id is the number alone on a line after the name; the tool's exit code says nothing.
    """
    name = _MODE_NAME.search(text)
    number = _MODE_ID.search(text, name.end() if name else 0)
    if number is None:
        return None
    return PowerMode(id=int(number[1]), name=name[1] if name else None)


def parse_nvpmodel_conf(text: str) -> tuple[PowerMode, ...]:
    """The modes that ``/etc/nvpmodel.conf`` declares, in its order."""
    return tuple(PowerMode(int(match[1]), match[2]) for match in _MODE_ENTRY.finditer(text))


def parse_clocks_locked(text: str) -> bool | None:
    """Whether ``jetson_clocks --show`` says that GPU and online CPU clocks cannot move.

    Locked is Min == Max == Current for the GPU and for each core that is online. The memory
    clock is left out: its MinFreq stays low even when it is locked. None where the text
    says nothing of the GPU.
    """
    gpu = _GPU_CLOCKS.search(text)
    if gpu is None:
        return None
    cores = [match.group(2, 3) for match in _CORE.finditer(text) if match[1] != "0"]
    return len(set(gpu.groups())) == 1 and all(low == high for low, high in cores)


def conditions_from(fields: Mapping[str, str]) -> Conditions:
    """The sensors among the ``key=value`` pairs of a probe or a journal event.

    Temperatures come in millidegrees, the GPU's clocks in hertz, those of the cores in
    kilohertz and the load per mille, as sysfs has them.
    """
    load = whole(fields.get("gpu_load_pm"))
    mode = whole(fields.get("mode"))
    cores = fields.get("cpus", "")

    def scaled(key: str, divisor: float) -> float | None:
        number = whole(fields.get(key))
        return None if number is None else number / divisor

    return Conditions(
        gpu_temp_c=scaled("gpu_temp_mc", 1e3),
        cpu_temp_c=scaled("cpu_temp_mc", 1e3),
        gpu_mhz=scaled("gpu_cur_hz", 1e6),
        gpu_min_mhz=scaled("gpu_min_hz", 1e6),
        gpu_max_mhz=scaled("gpu_max_hz", 1e6),
        gpu_load=load / 1000 if load is not None and 0 <= load <= _FULL_LOAD_PM else None,
        cpu_online=cores if _CORE_LIST.fullmatch(cores) else None,
        cpu_max_mhz=scaled("cpu_max_khz", 1e3),
        power_mode_id=mode if mode is not None and 0 <= mode <= _MAX_MODE else None,
    )
