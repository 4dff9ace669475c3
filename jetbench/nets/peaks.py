"""What a board's peaks allow at best: the roofline, layer by layer.

A layer can be no faster than its arithmetic at the peak rate of the GPU, nor than its
bytes at the peak rate of the memory. Its bound is the larger of the two, and the bound of
the net is the sum over its layers, since ``caffe time`` runs one after the other.

There are two bounds. Direct arithmetic gives an efficiency, which can pass 100 %. The one
that allows for Winograd and FFT (``fast=True``) cannot be beaten: a time below it is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jetbench.nets.net import Layer, Net

Precision = Literal["fp32", "fp16"]

_CUDA_CORES = 256
"""Of a TX2's GPU (Pascal, two multiprocessors)."""
_FLOP_A_CLOCK = 2
"""A core finishes one fused multiply-add a clock."""
_MEMORY_BYTES_A_CLOCK = 32
"""128 bits of LPDDR4, on both edges of the EMC's clock."""
_FLOP_A_MAC = 2


@dataclass(frozen=True, slots=True)
class Peak:
    """What a board can do at most in one power mode, with its clocks locked."""

    mode_id: int
    mode_name: str
    gpu_mhz: float
    fp32_gflops: float
    fp16_gflops: float
    memory_gb_s: float

    @classmethod
    def of_clocks(cls, mode_id: int, mode_name: str, *, gpu_mhz: float, emc_mhz: float) -> Peak:
        """The peaks of a TX2 that runs at these clocks."""
        fp32_gflops = _CUDA_CORES * _FLOP_A_CLOCK * gpu_mhz / 1000
        return cls(
            mode_id=mode_id,
            mode_name=mode_name,
            gpu_mhz=gpu_mhz,
            fp32_gflops=fp32_gflops,
            fp16_gflops=2 * fp32_gflops,
            memory_gb_s=_MEMORY_BYTES_A_CLOCK * emc_mhz / 1000,
        )


_MODES = (
    Peak.of_clocks(0, "MAXN", gpu_mhz=1300.5, emc_mhz=1866),
    Peak.of_clocks(1, "MAXQ", gpu_mhz=854.25, emc_mhz=1331.2),
    Peak.of_clocks(2, "MAXP_CORE_ALL", gpu_mhz=1122, emc_mhz=1600),
    Peak.of_clocks(3, "MAXP_CORE_ARM", gpu_mhz=1122, emc_mhz=1600),
    Peak.of_clocks(4, "MAXP_CORE_DENVER", gpu_mhz=1122, emc_mhz=1600),
)

TX2_PEAKS: Mapping[int, Peak] = MappingProxyType({peak.mode_id: peak for peak in _MODES})
"""Power mode to peaks, as NVIDIA's nvpmodel.conf caps them. TX2s have one of two tables of
GPU clocks; these are of the one with 854.25 and 1122 MHz. On the other the MAXP modes run at
1134.75 MHz, 1 % above."""


def layer_bound_ms(
    layer: Layer, peak: Peak, *, precision: Precision = "fp32", fast: bool = False
) -> float | None:
    """The least time in ms that this layer's forward pass can take.

    Args:
        layer: The layer, with the batch that its net was built for.
        peak: What the board can do.
        precision: ``fp16`` doubles the arithmetic's rate and halves the bytes.
        fast: Count the multiplications that Winograd or FFT leave, instead of all.

    Returns:
        None where the layer's cost is not known.
    """
    macs = layer.fast_macs if fast else layer.macs
    if macs is None or layer.weight_bytes is None or layer.activation_bytes is None:
        return None
    moved_bytes: float = layer.activation_bytes
    if moved_bytes or macs:
        moved_bytes += layer.weight_bytes
    gflops = peak.fp32_gflops
    if precision == "fp16":
        gflops = peak.fp16_gflops
        moved_bytes /= 2
    arithmetic_s = _FLOP_A_MAC * macs / (gflops * 1e9)
    memory_s = moved_bytes / (peak.memory_gb_s * 1e9)
    return 1000 * max(arithmetic_s, memory_s)


def bound_ms(
    net: Net, peak: Peak, *, precision: Precision = "fp32", fast: bool = False
) -> float | None:
    """The least time in ms of a forward pass; None where a layer's cost is not known."""
    total_ms = 0.0
    for layer in net.layers:
        layer_ms = layer_bound_ms(layer, peak, precision=precision, fast=fast)
        if layer_ms is None:
            return None
        total_ms += layer_ms
    return total_ms
