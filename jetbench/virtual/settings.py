"""How a virtual board is to behave, as the stand-ins read it from the board's own file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jetbench.virtual.clock import JUMP_S
from jetbench.virtual.faults import Faults

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.virtual.options import BoardOptions

MARK = "etc/jetbench-virtual"
"""Its presence says that the board is virtual; its lines, ``key=value``, how it behaves."""

_TOOLS = (
    "asks_to_overwrite", "clocks_will_not_lock", "mode_needs_reboot", "nvpmodel_fails_silently",
)  # fmt: skip
"""Faults that only the stand-ins of NVIDIA's tools need to know."""
_YES_OR_NO = ("cpu_neighbour", "gpu_neighbour", "never_cools", "swaps")
_NUMBERS = (
    "aborts_at", "clock_falls_after", "clock_falls_at", "clock_jumps_after", "clock_jumps_at",
    "crashes_at", "endless_log_at", "exits_at", "hangs_at", "killed_at", "mode_changes_at",
    "outlier_at", "silent_at", "silent_hang_at", "slow_first", "slow_layer",
    "sudo_stops_after",
    "throttles_at", "wrong_batch",
)  # fmt: skip

_SSD_NET_LINES = {53: 58, 86: 100}
_SSD_NET_SHIFT = 26
_SSD_CAFFE_SHIFT = 4


def settings_text(options: BoardOptions) -> str:
    """What `Settings.read` and the stand-ins read of a board, as lines ``key=value``."""
    faults = options.faults
    settings: dict[str, object] = {
        "release": options.release,
        "time_scale": options.time_scale,
        "seed": options.seed,
        "time_constant_s": options.time_constant_s,
        "gpu_build": int(not faults.cpu_only),
        "sudo": faults.sudo,
        "clock_jump_s": JUMP_S,
    }
    settings |= {name: int(getattr(faults, name)) for name in (*_TOOLS, *_YES_OR_NO)}
    settings |= {name: getattr(faults, name) for name in _NUMBERS}
    return "".join(f"{key}={value}\n" for key, value in settings.items() if value is not None)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the board's ``etc/jetbench-virtual`` says."""

    root: Path
    ssd: bool
    gpu_build: bool
    time_scale: float
    seed: int
    time_constant_s: float
    faults: Faults
    """Those that show while it is in use; those of its start are not kept."""

    @classmethod
    def read(cls, root: Path) -> Settings:
        """Read them; what is missing has a value that harms nobody."""
        text = (root / MARK).read_text(encoding="utf-8")
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        faults: dict[str, Any] = {name: values.get(name) == "1" for name in _YES_OR_NO}
        faults |= {name: int(values[name]) for name in _NUMBERS if name in values}
        return cls(
            root=root,
            ssd=values.get("release") in {"r27", "r28"},
            gpu_build=values.get("gpu_build", "1") == "1",
            time_scale=float(values.get("time_scale", "0.002")),
            seed=int(values.get("seed", "0")),
            time_constant_s=float(values.get("time_constant_s", "25")),
            faults=Faults(**faults),
        )

    def caffe_place(self, line: int) -> str:
        """A place of BVLC's ``tools/caffe.cpp``, or the same one of SSD's branch."""
        return f"caffe.cpp:{line + (_SSD_CAFFE_SHIFT if self.ssd else 0)}"

    def net_place(self, line: int) -> str:
        """A place of BVLC's ``net.cpp``, or the same one of SSD's branch."""
        if self.ssd:
            line = _SSD_NET_LINES.get(line, line + _SSD_NET_SHIFT)
        return f"net.cpp:{line}"
