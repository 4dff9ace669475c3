"""What a layer would take on a TX2: a roofline with efficiencies, plus a fixed cost a layer.

A layer takes the longer of its arithmetic and its memory traffic, each at the share of the
board's peak that layers of its type reach, and on top of that what it costs to start and to
time it. There is one set of numbers for all nets. They were chosen so that the four published
times of a TX2 in MAXN with locked clocks are met (AlexNet 12.9 ms, GoogLeNet 24.6 ms, VGG16
91.8 ms, ResNet-50 64.1 ms: JetPack 3.1 and 3.2, ssd-caffe, batch 1); for other nets, batches
and modes they give the right order of things, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.nets.net import count
from jetbench.virtual.files import read_number
from jetbench.virtual.power_modes import (
    CORES,
    CPU_STEPS_KHZ,
    CPUS,
    EMC,
    EMC_CAP,
    EMC_MAX_HZ,
    GPU_CLOCK,
    GPU_PEAK_HZ,
)

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.nets.net import Layer

_CUDA_CORES = 256
_MEMORY_BYTES_A_CLOCK = 32
"""128 bit, at both edges of the clock."""
_CPU_FLOPS_A_CLOCK = 8
_CPU_MEMORY_SHARE = 0.35

_GOVERNOR_SHARE = 0.88
"""The clock that the governor gives on average to a load that comes in bursts."""
_GOVERNOR_DELAY = 1.3


@dataclass(frozen=True, slots=True)
class Clocks:
    """The state of a board's clocks, read from its files."""

    gpu_hz: int
    emc_hz: int
    cpu_khz: int
    cpu_cores: int
    locked: bool

    @classmethod
    def read(cls, root: Path, gpu_hz: int | None = None) -> Clocks:
        """What the clocks of the board at `root` can reach now.

        Args:
            root: The board.
            gpu_hz: The GPU's clock while it works, where it is not the highest allowed.
        """
        highest_hz = read_number(root, f"{GPU_CLOCK}/max_freq") or GPU_PEAK_HZ
        online = [core for core in CORES if read_number(root, f"{CPUS}/cpu{core}/online") != 0]
        cpu_khz = [
            read_number(root, f"{CPUS}/cpu{core}/cpufreq/scaling_max_freq") for core in online
        ]
        return cls(
            gpu_hz=gpu_hz or highest_hz,
            emc_hz=read_number(root, EMC_CAP) or EMC_MAX_HZ,
            cpu_khz=max(filter(None, cpu_khz), default=CPU_STEPS_KHZ[-1]),
            cpu_cores=max(1, len(online)),
            locked=read_number(root, f"{GPU_CLOCK}/min_freq") == highest_hz
            and read_number(root, f"{EMC}/mrq_rate_locked") == 1,
        )


@dataclass(frozen=True, slots=True)
class Engine:
    """What computes: peaks as the clocks allow them, and the fixed cost a layer."""

    flops: float
    """Floating-point operations a second."""
    memory_bytes: float
    """Bytes a second."""
    overhead_ms: float
    """To start a layer, wait for it, and stop the clock."""
    half_full_results: int
    """A layer with so many results gives it enough to do for half of its speed."""

    @classmethod
    def gpu(cls, clocks: Clocks) -> Engine:
        """The GPU, started by the CPU."""
        share = 1.0 if clocks.locked else _GOVERNOR_SHARE
        delay = 1.0 if clocks.locked else _GOVERNOR_DELAY
        cpu = CPU_STEPS_KHZ[-1] / clocks.cpu_khz
        gpu = GPU_PEAK_HZ / clocks.gpu_hz
        return cls(
            flops=2.0 * _CUDA_CORES * clocks.gpu_hz * share,
            memory_bytes=_MEMORY_BYTES_A_CLOCK * clocks.emc_hz * share,
            overhead_ms=_OVERHEAD_MS * delay * (cpu + gpu) / 2,
            half_full_results=_HALF_FULL_RESULTS,
        )

    @classmethod
    def cpu(cls, clocks: Clocks) -> Engine:
        """The CPU cores, with a BLAS that uses them all."""
        share = 1.0 if clocks.locked else _GOVERNOR_SHARE
        return cls(
            flops=_CPU_FLOPS_A_CLOCK * clocks.cpu_cores * clocks.cpu_khz * 1000.0 * share,
            memory_bytes=_MEMORY_BYTES_A_CLOCK * clocks.emc_hz * _CPU_MEMORY_SHARE * share,
            overhead_ms=0.004,
            half_full_results=0,
        )


@dataclass(frozen=True, slots=True)
class _Share:
    """How much of the peaks the layers of a type reach."""

    flops: float
    memory: float
    passes: float = 1.0
    """How often its blobs go through memory; more than once where it is several kernels."""


_OVERHEAD_MS = 0.073
_HALF_FULL_RESULTS = 32_000
_OTHER = _Share(flops=0.5, memory=0.5)
_SHARES = {
    "Convolution": _Share(flops=0.67, memory=0.35),
    "Deconvolution": _Share(flops=0.45, memory=0.35),
    "InnerProduct": _Share(flops=0.62, memory=0.72),
    "LRN": _Share(flops=0.5, memory=0.5, passes=3.0),
    "BatchNorm": _Share(flops=0.5, memory=0.5, passes=4.0),
    "Scale": _Share(flops=0.5, memory=0.5, passes=1.5),
    "Softmax": _Share(flops=0.5, memory=0.5, passes=4.0),
}
_LEARNED = ("Convolution", "Deconvolution", "InnerProduct")
_SKIPPED_BACKWARD_MS = 0.0118
"""A backward pass that has nothing to do is still timed."""
_ALWAYS_BACKWARD = ("LRN", "BatchNorm", "Softmax")


def forward_ms(layer: Layer, engine: Engine, phase: str) -> float:
    """The time of one forward pass of a layer."""
    share = _SHARES.get(layer.type, _OTHER)
    if not layer.activation_bytes:
        return 0.1 * engine.overhead_ms
    passes = share.passes
    if layer.type == "Dropout" and phase == "TEST":
        passes = 1.0
    elif layer.type == "BatchNorm" and phase == "TRAIN":
        # It computes the statistics of the batch.
        passes *= 2
    results = sum(count(shape) for shape in layer.output_shapes if shape is not None)
    filled = results / (results + engine.half_full_results)
    moved = layer.activation_bytes * passes + (layer.weight_bytes or 0)
    return engine.overhead_ms + 1e3 * max(
        2.0 * (layer.macs or 0) / (engine.flops * share.flops * filled),
        moved / (engine.memory_bytes * share.memory),
    )


def backward_ms(layer: Layer, engine: Engine, phase: str, *, needed: bool) -> float:
    """The time of one backward pass of a layer.

    Also where no gradient is needed (a net without a loss), ``caffe time`` runs the backward
    pass of each layer: those with weights then compute the gradients of the weights.
    """
    once = forward_ms(layer, engine, phase)
    if layer.type == "InnerProduct":
        # The gradients are as large as the weights, and are read and written.
        once *= 2
    if layer.type in _LEARNED:
        return once * (2.0 if needed else 1.5)
    if needed or layer.type in _ALWAYS_BACKWARD:
        return once * 1.6
    return min(_SKIPPED_BACKWARD_MS, once)
