"""The power modes of a TX2, in the syntax of its ``/etc/nvpmodel.conf``."""

from __future__ import annotations

from dataclasses import dataclass

CORES = range(6)
DENVER_CORES = (1, 2)

CPU_STEPS_KHZ = (
    345600, 499200, 652800, 806400, 960000, 1113600,
    1267200, 1420800, 1574400, 1728000, 1881600, 2035200,
)  # fmt: skip
EMC_MAX_HZ = 1866000000
GPU_PEAK_HZ = 1300500000
DEFAULT_MODE = 3

CPUS = "/sys/devices/system/cpu"
GPU = "/sys/devices/17000000.gp10b"
GPU_CLOCK = f"{GPU}/devfreq/17000000.gp10b"
EMC = "/sys/kernel/debug/bpmp/debug/clk/emc"
EMC_CAP = "/sys/kernel/nvpmodel_emc_cap/emc_iso_cap"


def gpu_steps_hz(release: str) -> tuple[int, ...]:
    """The clocks of the GPU: two tables are found on TX2s, different in two steps."""
    lower = range(114750000, 726750000 + 1, 102000000)
    eighth, eleventh = (828750000, 1134750000) if release != "r32" else (854250000, 1122000000)
    return (*lower, eighth, 930750000, 1032750000, eleventh, 1236750000, GPU_PEAK_HZ)


@dataclass(frozen=True, slots=True)
class Mode:
    """What one power mode allows; the caps are those of NVIDIA's file."""

    id: int
    name: str
    online: tuple[int, ...]
    a57_khz: int
    denver_khz: int | None
    """None where both Denver cores are off."""
    gpu_hz: int
    emc_hz: int
    """0 for no cap."""


MODES = (
    Mode(0, "MAXN", (0, 1, 2, 3, 4, 5), 2035200, 2035200, GPU_PEAK_HZ, 0),
    Mode(1, "MAXQ", (0, 3, 4, 5), 1200000, None, 850000000, 1331200000),
    Mode(2, "MAXP_CORE_ALL", (0, 1, 2, 3, 4, 5), 1400000, 1400000, 1120000000, 1600000000),
    Mode(3, "MAXP_CORE_ARM", (0, 3, 4, 5), 2000000, None, 1120000000, 1600000000),
    Mode(4, "MAXP_CORE_DENVER", (0, 1), 345600, 2035200, 1120000000, 1600000000),
)


def nvpmodel_conf(modes: tuple[Mode, ...] = MODES) -> str:
    """The text of ``/etc/nvpmodel.conf``."""
    lines = ["# Power modes of a Jetson TX2, written for jetbench's virtual boards.", ""]
    lines.append("< PARAM TYPE=FILE NAME=CPU_ONLINE >")
    lines += [f"CORE_{core} {CPUS}/cpu{core}/online" for core in CORES]
    for name, core in (("CPU_A57", 0), ("CPU_DENVER", 1)):
        folder = f"{CPUS}/cpu{core}/cpufreq"
        lines += ["", f"< PARAM TYPE=CLOCK NAME={name} >"]
        lines.append(f"FREQ_TABLE {folder}/scaling_available_frequencies")
        lines += [f"MIN_FREQ {folder}/scaling_min_freq", f"MAX_FREQ {folder}/scaling_max_freq"]
    lines += ["", "< PARAM TYPE=CLOCK NAME=GPU >"]
    lines.append(f"FREQ_TABLE {GPU_CLOCK}/available_frequencies")
    lines += [f"MIN_FREQ {GPU_CLOCK}/min_freq", f"MAX_FREQ {GPU_CLOCK}/max_freq"]
    lines += ["", "< PARAM TYPE=FILE NAME=EMC >", f"MAX_FREQ {EMC_CAP}"]
    for mode in modes:
        lines += ["", *_mode_lines(mode)]
    lines += ["", f"< PM_CONFIG DEFAULT={DEFAULT_MODE} >", ""]
    return "\n".join(lines)


def _mode_lines(mode: Mode) -> list[str]:
    lines = [f"< POWER_MODEL ID={mode.id} NAME={mode.name} >"]
    lines += [f"CPU_ONLINE CORE_{core} {int(core in mode.online)}" for core in CORES if core]
    lines += ["CPU_A57 MIN_FREQ 0", f"CPU_A57 MAX_FREQ {mode.a57_khz}"]
    if mode.denver_khz is not None:
        lines += ["CPU_DENVER MIN_FREQ 0", f"CPU_DENVER MAX_FREQ {mode.denver_khz}"]
    lines += ["GPU MIN_FREQ 0", f"GPU MAX_FREQ {mode.gpu_hz}", f"EMC MAX_FREQ {mode.emc_hz}"]
    return lines


def step_at_or_above(steps: tuple[int, ...], cap: int) -> int:
    """The clock that a cap really means on a board: the next step of its table."""
    return next((step for step in steps if step >= cap), steps[-1])
