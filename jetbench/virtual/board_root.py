"""The root folder of a virtual board: the files a TX2 has, and the stand-ins for its tools.

Building is repeatable: what a board knows of itself is written anew, what is its state (power
mode, clocks, what its user has done) stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

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
from jetbench.virtual.sensors import LOAD_FILE, RAILS, ZONES
from jetbench.virtual.settings import MARK

if TYPE_CHECKING:
    from jetbench.virtual.options import BoardOptions, Release
    from jetbench.virtual.power_modes import Mode

HOME = "home/nvidia"
CAFFE = f"{HOME}/project/ssd-caffe/build/tools/caffe"
_TOOLS = "usr/local/jetbench-bin"

_IDENTITY = {
    "r28": {
        "etc/nv_tegra_release": "# R28 (release), REVISION: 2.1, GCID: 10000281, BOARD: t186ref, "
        "EABI: aarch64, DATE: Mon May 14 08:00:00 UTC 2018\n",
        "usr/local/cuda/version.txt": "CUDA Version 9.0.252\n",
        "var/lib/jetbench-packages": "libcudnn7 7.1.5.14-1+cuda9.0\ntensorrt 4.0.2.0-1+cuda9.0\n",
    },
    "r32": {
        "etc/nv_tegra_release": "# R32 (release), REVISION: 3.1, GCID: 10000323, BOARD: t186ref, "
        "EABI: aarch64, DATE: Mon Dec  9 08:00:00 UTC 2019\n",
        "usr/local/cuda/version.txt": "CUDA Version 10.0.326\n",
        "var/lib/jetbench-packages": "libcudnn7 7.6.3.28-1+cuda10.0\n"
        "nvidia-l4t-core 32.3.1-20191209080000\ntensorrt 6.0.1.10-1+cuda10.0\n",
    },
}
_CUDNN = {"r28": (7, 1, 5), "r32": (7, 6, 3)}
_NVINFER = {"r28": "4.1.3", "r32": "6.0.1"}
_LIBRARIES = "usr/lib/aarch64-linux-gnu"


def build(root: Path, options: BoardOptions) -> None:
    """Make, or bring up to date, the root folder of a board; only its owner may read it."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    root.chmod(0o700)
    for folder in (HOME, "tmp", "run", "var/lib/nvpmodel", "usr/sbin", "usr/bin", _TOOLS):
        (root / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    put(root, MARK, _settings(options))
    put(root, "etc/nvpmodel.conf", nvpmodel_conf())
    put(root, "proc/device-tree/model", "quill\0")
    put(root, "proc/device-tree/compatible", "nvidia,p2771-0000\0nvidia,tegra186\0")
    put(root, "proc/device-tree/serial-number", f"jetbench{options.seed:08d}\0")
    for path, text in _IDENTITY[options.release].items():
        put(root, path, text)
    names = ("MAJOR", "MINOR", "PATCHLEVEL")
    lines = [
        f"#define CUDNN_{name} {part}\n"
        for name, part in zip(names, _CUDNN[options.release], strict=True)
    ]
    put(root, "usr/include/cudnn.h", "".join(lines))
    cudnn = ".".join(map(str, _CUDNN[options.release]))
    put(root, f"{_LIBRARIES}/libcudnn.so.{cudnn}", "")
    put(root, f"{_LIBRARIES}/libnvinfer.so.{_NVINFER[options.release]}", "")
    _clocks(root, options.release, MODES[DEFAULT_MODE], keep=True)
    _sensors(root)
    _stand_ins(root, options)


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


def reset_clocks(root: Path, options: BoardOptions) -> None:
    """Put the clocks to what the power mode says, as a boot does: nothing is locked."""
    status = root / "var/lib/nvpmodel/status"
    try:
        number = int(status.read_text(encoding="ascii").removeprefix("pmode:"))
    except (OSError, ValueError):
        number = DEFAULT_MODE
    _clocks(root, options.release, MODES[number], keep=False)


def _settings(options: BoardOptions) -> str:
    faults = options.faults
    settings = {
        "release": options.release,
        "time_scale": options.time_scale,
        "seed": options.seed,
        "gpu_build": int(not faults.cpu_only),
        "sudo": faults.sudo,
        "nvpmodel_fails_silently": int(faults.nvpmodel_fails_silently),
        "clocks_will_not_lock": int(faults.clocks_will_not_lock),
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


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


def _sensors(root: Path) -> None:
    put(root, LOAD_FILE, 0)
    put(root, "/sys/devices/pwm-fan/target_pwm", 0, keep=True)
    for number, zone in enumerate(ZONES):
        folder = f"/sys/devices/virtual/thermal/thermal_zone{number}"
        put(root, f"{folder}/type", zone.name)
        put(root, f"{folder}/temp", round(zone.idle_c * 1000), keep=True)
    for rail in RAILS:
        put(root, f"{rail.folder}/rail_name_{rail.channel}", rail.name)
        put(root, rail.power_file, rail.idle_mw)


def _stand_ins(root: Path, options: BoardOptions) -> None:
    r28 = options.release == "r28"
    places = {
        "sudo": f"{_TOOLS}/sudo",
        "dpkg-query": f"{_TOOLS}/dpkg-query",
        "uname": f"{_TOOLS}/uname",
        "nvpmodel": "usr/sbin/nvpmodel",
        "jetson_clocks": f"{HOME}/jetson_clocks.sh" if r28 else "usr/bin/jetson_clocks",
        "tegrastats": f"{HOME}/tegrastats" if r28 else "usr/bin/tegrastats",
    }
    if not options.faults.no_caffe:
        places["caffe"] = CAFFE
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
    if release == "r28":
        lines.append("# Built from SSD's branch: it has DetectionOutput.")
    return "\n".join(lines)
