"""What befalls a virtual board while its ``caffe`` runs: its load, and the faults of a run."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from jetbench.virtual.counters import pass_time, swap
from jetbench.virtual.files import read_number, write
from jetbench.virtual.power_modes import GPU_CLOCK, GPU_PEAK_HZ
from jetbench.virtual.sensors import show_busy, show_idle

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.virtual.settings import Settings

_RUNS = "var/lib/jetbench-runs"
RUNS_SINCE_BOOT = "run/caffe-runs"

_THROTTLED = 0.8
_SHARED_GPU = 4 / 3
_SHARED_CPU = 1.04
_COLD = 1.08
_OUTLIER = 1.12
_MAXN, _MAXQ = 0, 1


class Incidents:
    """One run of ``caffe time``, from outside."""

    def __init__(self, settings: Settings) -> None:
        """Count this run."""
        self._root = settings.root
        self._faults = settings.faults
        self.number = _count(self._root, _RUNS)
        """Of this run on the board, from 1."""
        self._since_boot = _count(self._root, RUNS_SINCE_BOOT)

    def begin(self) -> int:
        """The GPU has work from now on; its clock, in hertz."""
        if self._faults.swaps:
            swap(self._root)
        return show_busy(
            self._root, gpu_hz=self._throttled_hz(), neighbour=self._faults.gpu_neighbour
        )

    def slowness(self, *, gpu: bool) -> float:
        """By how much this run is slower than in peace."""
        faults = self._faults
        factor = 1.0
        if faults.gpu_neighbour and gpu:
            factor *= _SHARED_GPU
        if faults.cpu_neighbour:
            factor *= _SHARED_CPU
        if self._since_boot <= faults.slow_first:
            factor *= _COLD
        if self.number == faults.outlier_at:
            factor *= _OUTLIER
        return factor

    def change_mode(self) -> int | None:
        """Somebody else sets a power mode now, if this is that run; the GPU's clock then."""
        if self.number != self._faults.mode_changes_at:
            return None
        status = (self._root / "var/lib/nvpmodel/status").read_text(encoding="ascii").strip()
        mode = _MAXN if status == f"pmode:{_MAXQ:04d}" else _MAXQ
        subprocess.run(  # noqa: S603 - the board's own tool, as root there
            [self._root / "usr/sbin/nvpmodel", "-m", str(mode)],
            env={**os.environ, "JETBENCH_VIRTUAL_UID": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return show_busy(self._root, neighbour=self._faults.gpu_neighbour)

    def end(self) -> None:
        """The GPU has no more work, and the run's time is counted."""
        if self._faults.swaps:
            swap(self._root)
        show_idle(self._root, neighbour=self._faults.gpu_neighbour)
        own_s = sum(os.times()[:4])
        pass_time(self._root, own_s=own_s, neighbour=self._faults.cpu_neighbour)

    def _throttled_hz(self) -> int | None:
        first = self._faults.throttles_at
        if first is None or self.number < first:
            return None
        highest_hz = read_number(self._root, f"{GPU_CLOCK}/max_freq") or GPU_PEAK_HZ
        steps = (self._root / f"{GPU_CLOCK}/available_frequencies".lstrip("/")).read_text(
            encoding="ascii"
        )
        return max(hz for hz in map(int, steps.split()) if hz <= highest_hz * _THROTTLED)


def _count(root: Path, path: str) -> int:
    number = (read_number(root, path) or 0) + 1
    write(root, path, number)
    return number
