"""How a virtual board is to behave, as the stand-ins read it from the board's own file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MARK = "etc/jetbench-virtual"
"""Its presence says that the board is virtual; its lines, ``key=value``, how it behaves."""

_SSD_NET_LINES = {53: 58, 86: 100}
_SSD_NET_SHIFT = 26
_SSD_CAFFE_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Settings:
    """What the board's ``etc/jetbench-virtual`` says."""

    root: Path
    ssd: bool
    gpu_build: bool
    time_scale: float
    seed: int

    @classmethod
    def read(cls, root: Path) -> Settings:
        """Read them; what is missing has a value that harms nobody."""
        text = (root / MARK).read_text(encoding="utf-8")
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return cls(
            root=root,
            ssd=values.get("release") == "r28",
            gpu_build=values.get("gpu_build", "1") == "1",
            time_scale=float(values.get("time_scale", "0.002")),
            seed=int(values.get("seed", "0")),
        )

    def caffe_place(self, line: int) -> str:
        """A place of BVLC's ``tools/caffe.cpp``, or the same one of SSD's branch."""
        return f"caffe.cpp:{line + (_SSD_CAFFE_SHIFT if self.ssd else 0)}"

    def net_place(self, line: int) -> str:
        """A place of BVLC's ``net.cpp``, or the same one of SSD's branch."""
        if self.ssd:
            line = _SSD_NET_LINES.get(line, line + _SSD_NET_SHIFT)
        return f"net.cpp:{line}"
