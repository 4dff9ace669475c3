"""The root folder of a virtual board: the files a TX2 has, and the stand-ins for its tools.

Building is repeatable: what a board knows of itself is written anew, what is its state (power
mode, clocks, what its user has done) stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import time
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.remote import installed
from jetbench.remote.exchange import script_text
from jetbench.virtual.clock import OFFSET
from jetbench.virtual.counters import FIRST_STAT, FIRST_VMSTAT, STAT, VMSTAT
from jetbench.virtual.incidents import RUNS_SINCE_BOOT
from jetbench.virtual.jetpacks import HOME, JETPACKS
from jetbench.virtual.power_modes import (
    CORES,
    CPU_STEPS_KHZ,
    CPUS,
    DEFAULT_MODE,
    DENVER_CORES,
    EMC,
    EMC_CAP,
    EMC_MAX_HZ,
    GPU_CLOCK,
    MODES,
    gpu_steps_hz,
    nvpmodel_conf,
    step_at_or_above,
)
from jetbench.virtual.sensors import (
    LOAD_FILE,
    RAILS,
    ZONES,
    load_at_rest,
    show_idle,
    temperature_file,
    temperatures_mc,
)
from jetbench.virtual.settings import MARK, settings_text

if TYPE_CHECKING:
    from jetbench.virtual.options import BoardOptions, Release
    from jetbench.virtual.power_modes import Mode

__all__ = ["CAFFE", "HOME", "boot", "build", "environment", "put"]

CAFFE = f"{HOME}/project/ssd-caffe/build/tools/caffe"
_TOOLS = "usr/local/jetbench-bin"
_OWN_CLOCKS = f"{HOME}/l4t_dfs.conf"
_STATUS = "var/lib/nvpmodel/status"
_FAN = "/sys/devices/pwm-fan"
GPU_USERS = "run/gpu-users"
"""Processes other than the board's Caffe that use the GPU, as ``PID:NAME`` lines."""
BOOTED_AT = "run/booted-at"
"""Seconds since 1970; there is none where the boot was long ago."""
_LIBRARIES = "usr/lib/aarch64-linux-gnu"


def build(root: Path, options: BoardOptions) -> None:
    """Make, or bring up to date, the root folder of a board; only its owner may read it."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    root.chmod(0o700)
    for folder in (HOME, "tmp", "run", "var/lib/nvpmodel", "usr/sbin", "usr/bin", _TOOLS):
        (root / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    modes = _modes(options)
    put(root, MARK, settings_text(options))
    put(root, "etc/nvpmodel.conf", nvpmodel_conf(modes))
    put(root, _STATUS, f"pmode:{DEFAULT_MODE:04d}", keep=True)
    put(root, "proc/device-tree/model", "quill\0")
    put(root, "proc/device-tree/compatible", "nvidia,p2771-0000\0nvidia,tegra186\0")
    put(root, "proc/device-tree/serial-number", f"jetbench{options.seed:08d}\0")
    _identity(root, options.release)
    _clocks(root, options.release, modes[DEFAULT_MODE], keep=True)
    _sensors(root, options)
    _faults(root, options)
    _booted(root, options)
    _stand_ins(root, options)
    if options.faults.only_guard:
        install_guard(root)


def boot(root: Path, options: BoardOptions) -> None:
    """Forget what a boot forgets: clocks are as the power mode says, nothing is locked."""
    status = root / _STATUS
    try:
        number = int(status.read_text(encoding="ascii").removeprefix("pmode:"))
    except (OSError, ValueError):
        number = DEFAULT_MODE
    _clocks(root, options.release, _modes(options)[number], keep=False)
    _fan(root, keep=False)
    _faults(root, options)
    (root / RUNS_SINCE_BOOT).unlink(missing_ok=True)
    _booted(root, options)


def install_guard(root: Path) -> None:
    """Do what an administrator does with the files of ``jetbench boards sudoers``."""
    folder = root / installed.FOLDER.lstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    for place in (folder, *(place for place in folder.parents if root in place.parents)):
        place.chmod(0o755)
    for name in installed.SCRIPTS:
        (folder / name).write_bytes(script_text(name))
        (folder / name).chmod(0o644)


def put(root: Path, path: str, content: str | int, *, keep: bool = False) -> None:
    """Write a file below the root; with `keep`, only where there is none yet.

    A line end is added to a number, and to a text of one line (but not to one that ends, as
    those of the device tree, with a null).
    """
    file = root / path.lstrip("/")
    if keep and file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = str(content)
    file.write_text(text if text.endswith(("\n", "\0")) else f"{text}\n", encoding="utf-8")


def environment(root: Path) -> dict[str, str]:
    """The environment of a session on the board."""
    host_path = os.environ.get("PATH", os.defpath)
    folders = [str(root / _TOOLS), str(root / "usr/bin"), str(root / "usr/sbin"), host_path]
    return {
        "JETBENCH_ROOT": str(root),
        "HOME": str(root / HOME),
        "PATH": os.pathsep.join(folders),
        "USER": "nvidia",
        "LOGNAME": "nvidia",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TMPDIR": str(root / "tmp"),
    }


def _modes(options: BoardOptions) -> tuple[Mode, ...]:
    cap_mhz = options.faults.clock_cap
    if cap_mhz is None:
        return MODES
    steps = gpu_steps_hz(options.release)
    cap_hz = min(steps, key=lambda step: abs(step - cap_mhz * 1_000_000))
    return tuple(replace(mode, gpu_hz=min(mode.gpu_hz, cap_hz)) for mode in MODES)


def _identity(root: Path, release: Release) -> None:
    jetpack = JETPACKS[release]
    put(root, "etc/nv_tegra_release", jetpack.l4t)
    put(root, "usr/local/cuda/version.txt", jetpack.cuda)
    put(root, "var/lib/jetbench-packages", jetpack.packages)
    names = ("MAJOR", "MINOR", "PATCHLEVEL")
    lines = [
        f"#define CUDNN_{name} {part}\n" for name, part in zip(names, jetpack.cudnn, strict=True)
    ]
    put(root, "usr/include/cudnn.h", "".join(lines))
    cudnn = ".".join(map(str, jetpack.cudnn))
    put(root, f"{_LIBRARIES}/libcudnn.so.{cudnn}", "")
    put(root, f"{_LIBRARIES}/libnvinfer.so.{jetpack.nvinfer}", "")


def _clocks(root: Path, release: Release, mode: Mode, *, keep: bool) -> None:
    for core in CORES:
        put(root, f"{CPUS}/cpu{core}/online", int(core in mode.online), keep=keep)
        owner = 1 if core in DENVER_CORES else 0
        if core != owner:
            # The cores of a cluster have one clock.
            link = root / f"{CPUS}/cpu{core}/cpufreq".lstrip("/")
            with contextlib.suppress(FileExistsError):
                link.symlink_to(f"../cpu{owner}/cpufreq")
    for core, cap_khz in ((0, mode.a57_khz), (1, mode.denver_khz or CPU_STEPS_KHZ[-1])):
        folder = f"{CPUS}/cpu{core}/cpufreq"
        highest_khz = step_at_or_above(CPU_STEPS_KHZ, cap_khz)
        put(root, f"{folder}/scaling_available_frequencies", " ".join(map(str, CPU_STEPS_KHZ)))
        put(root, f"{folder}/scaling_governor", "schedutil")
        put(root, f"{folder}/scaling_min_freq", CPU_STEPS_KHZ[0], keep=keep)
        put(root, f"{folder}/scaling_max_freq", highest_khz, keep=keep)
        put(root, f"{folder}/scaling_cur_freq", CPU_STEPS_KHZ[0], keep=keep)
    steps = gpu_steps_hz(release)
    put(root, f"{GPU_CLOCK}/available_frequencies", " ".join(map(str, steps)))
    put(root, f"{GPU_CLOCK}/min_freq", steps[0], keep=keep)
    put(root, f"{GPU_CLOCK}/cur_freq", steps[0], keep=keep)
    put(root, f"{GPU_CLOCK}/max_freq", step_at_or_above(steps, mode.gpu_hz), keep=keep)
    put(root, EMC_CAP, mode.emc_hz, keep=keep)
    put(root, f"{EMC}/min_rate", 40800000)
    put(root, f"{EMC}/max_rate", EMC_MAX_HZ)
    put(root, f"{EMC}/rate", 1062400000, keep=keep)
    put(root, f"{EMC}/mrq_rate_locked", 0, keep=keep)


def _sensors(root: Path, options: BoardOptions) -> None:
    faults = options.faults
    put(root, LOAD_FILE, load_at_rest(neighbour=faults.gpu_neighbour))
    put(root, STAT, FIRST_STAT, keep=True)
    put(root, VMSTAT, FIRST_VMSTAT, keep=True)
    _fan(root, keep=True)
    with contextlib.suppress(FileExistsError):
        (root / "sys/devices/gpu.0").symlink_to("17000000.gp10b")
    start = temperatures_mc(never_cools=faults.never_cools, start_c=options.start_c)
    keep = not faults.never_cools and options.start_c is None
    for number, (zone, start_mc) in enumerate(zip(ZONES, start, strict=True)):
        put(root, f"/sys/devices/virtual/thermal/thermal_zone{number}/type", zone.name)
        put(root, temperature_file(number), start_mc, keep=keep)
    for rail in RAILS:
        put(root, f"{rail.folder}/rail_name_{rail.channel}", rail.name)
        put(root, rail.power_file, rail.idle_mw)


def _fan(root: Path, *, keep: bool) -> None:
    put(root, f"{_FAN}/target_pwm", 0, keep=keep)
    put(root, f"{_FAN}/temp_control", 1, keep=keep)


def _faults(root: Path, options: BoardOptions) -> None:
    """What others have left on the board, and who is there."""
    if options.faults.asks_to_overwrite:
        put(root, _OWN_CLOCKS, f"{GPU_CLOCK}/min_freq:318750000", keep=True)
    if options.faults.gpu_neighbour:
        put(root, GPU_USERS, "2817:python3")
        show_idle(root, neighbour=True)
    else:
        (root / GPU_USERS).unlink(missing_ok=True)


def _booted(root: Path, options: BoardOptions) -> None:
    if options.booted_s_ago is None:
        (root / BOOTED_AT).unlink(missing_ok=True)
    else:
        put(root, BOOTED_AT, int(time.time()) - options.booted_s_ago)


def _stand_ins(root: Path, options: BoardOptions) -> None:
    jetpack = JETPACKS[options.release]
    places = {
        "sudo": f"{_TOOLS}/sudo",
        "dpkg-query": f"{_TOOLS}/dpkg-query",
        "uname": f"{_TOOLS}/uname",
        "nvpmodel": "usr/sbin/nvpmodel",
        "jetson_clocks": jetpack.jetson_clocks,
        "tegrastats": jetpack.tegrastats,
    }
    if not options.faults.no_caffe:
        places["caffe"] = CAFFE
    clock = {"date": f"{_TOOLS}/date", "gzip": f"{_TOOLS}/gzip"}
    if options.faults.sets_clock:
        places |= clock
    else:
        # They cost a board whose clock is right a few milliseconds a call.
        for path in (*clock.values(), OFFSET):
            (root / path).unlink(missing_ok=True)
    scripts = resources.files("jetbench.virtual") / "bin"
    for name, path in places.items():
        text = (scripts / name).read_text(encoding="utf-8")
        if name == "caffe":
            text = text.replace("# @SETTINGS@", _caffe_settings(options.release))
        put(root, path, text)
        (root / path).chmod(0o700)
    if options.faults.no_caffe:
        (root / CAFFE).unlink(missing_ok=True)


def _caffe_settings(release: Release) -> str:
    # The board's HOME is another, so the Python there would not find what is installed for
    # this user only: it is told where the package lies.
    library = Path(__file__).resolve().parents[2]
    lines = [f"PYTHON={shlex.quote(sys.executable)}", f"LIBRARY={shlex.quote(str(library))}"]
    if release != "r32":
        lines.append("# Built from SSD's branch: it has DetectionOutput.")
    return "\n".join(lines)
