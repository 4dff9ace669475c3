"""What a board's peaks allow at best: the roofline, layer by layer.

A layer can be no faster than its arithmetic at the peak rate of the GPU, nor than its
bytes at the peak rate of the memory. Its bound is the larger of the two, and the bound of
the net is the sum over its layers, since ``caffe time`` runs one after the other.

There are two bounds. Direct arithmetic gives an efficiency, which can pass 100 %. The one
that allows for Winograd and FFT (``fast=True``) cannot be beaten: a time below it is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from jetbench.nets.not_a_net import read_net

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jetbench.domain.facts import PowerMode
    from jetbench.nets.net import Layer, Net

Precision = Literal["fp32", "fp16"]
Limit = Literal["arithmetic", "memory"]
"""What a layer's bound comes from."""

_CUDA_CORES = 256
"""Of a TX2's GPU (Pascal, two multiprocessors)."""
_FLOP_A_CLOCK = 2
"""A core finishes one fused multiply-add a clock."""
_MEMORY_BYTES_A_CLOCK = 32
"""128 bits of LPDDR4, on both edges of the EMC's clock."""
FLOP_A_MAC = 2
_FORWARD_FIELDS = (
    "default_forward_type",
    "default_forward_math",
    "forward_type",
    "forward_math",
)


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
GPU clocks; these are of the one with 854.25 and 1122 MHz."""

_OTHER_CLOCKS = (
    Peak.of_clocks(1, "MAXQ", gpu_mhz=930.75, emc_mhz=1331.2),
    Peak.of_clocks(2, "MAXP_CORE_ALL", gpu_mhz=1134.75, emc_mhz=1600),
    Peak.of_clocks(3, "MAXP_CORE_ARM", gpu_mhz=1134.75, emc_mhz=1600),
    Peak.of_clocks(4, "MAXP_CORE_DENVER", gpu_mhz=1134.75, emc_mhz=1600),
)

TX2_HIGHEST_PEAKS: Mapping[int, Peak] = MappingProxyType(
    {**TX2_PEAKS, **{peak.mode_id: peak for peak in _OTHER_CLOCKS}}
)
"""The same with the higher clock of the two tables: a cap means the next step at or above
it, and the table that has 828.75 and 1134.75 MHz has no step between 850 and 930.75 MHz."""

_TX2_NAMES = {"quill", "nvidia jetson tx2", "nvidia jetson tx2 developer kit"}
"""What the device tree of a TX2 calls it: NVIDIA's kernels, then Linux's own. A TX2 NX is
``lanai-3636`` there: a relative, but not the board whose peaks these are."""


def tx2_mode(hardware: str | None, mode: PowerMode | None) -> Peak | None:
    """The peaks that hold on a board, as far as it has said what it is.

    Returns:
        None for a board that is no TX2 or does not say, and for a power mode that is not
        known or not one of NVIDIA's.
    """
    if hardware is None or hardware.lower() not in _TX2_NAMES or mode is None:
        return None
    peak = TX2_PEAKS.get(mode.id)
    return peak if peak and mode.name in {None, peak.mode_name} else None


def precision_of(text: str) -> Precision:
    """What a net computes in: FP16 where it asks NVIDIA's fork for it, or else FP32.

    One layer that asks for FLOAT16, in storage or in arithmetic, makes it FP16 as a whole:
    the bounds are then lower than those of the mixture, and still bounds.

    Raises:
        ModelError: The text is no net.
    """
    if "FLOAT16" not in text:
        return "fp32"
    root = read_net(text)
    asked = {
        scalar.as_str()
        for message in (root, *root.messages("layer"))
        for name in _FORWARD_FIELDS
        for scalar in message.scalars(name)
    }
    return "fp16" if "FLOAT16" in asked else "fp32"


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
    times = _times_ms(layer, peak, precision, fast=fast)
    return None if times is None else max(times)


def limit_of(layer: Layer, peak: Peak) -> Limit | None:
    """What limits the direct bound in FP32; None where it is not known, or 0."""
    times = _times_ms(layer, peak, "fp32", fast=False)
    if times is None or not any(times):
        return None
    arithmetic_ms, memory_ms = times
    return "arithmetic" if arithmetic_ms > memory_ms else "memory"


def _times_ms(
    layer: Layer, peak: Peak, precision: Precision, *, fast: bool
) -> tuple[float, float] | None:
    """What arithmetic and memory traffic take, each by itself."""
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
    return FLOP_A_MAC * macs / (gflops * 1e6), moved_bytes / (peak.memory_gb_s * 1e6)


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


def floor_ms(net: Net, mode_id: int, *, precision: Precision = "fp32") -> float | None:
    """The time in ms below which a measured forward pass of a TX2 is wrong.

    The fast bound at the higher clock of the two tables; a cost that is not known counts as
    none at all, so that no right time is ever below.

    Returns:
        None where no cost is known.
    """
    peak = TX2_HIGHEST_PEAKS[mode_id]
    return bound_ms(at_least(net), peak, precision=precision, fast=True) or None


def at_least(net: Net) -> Net:
    """The net with 0 for each number that is not known: its sums are lower bounds."""
    return replace(net, layers=tuple(map(_known_part, net.layers)))


def _known_part(layer: Layer) -> Layer:
    return replace(
        layer,
        params=layer.params or 0,
        macs=layer.macs or 0,
        fast_macs=layer.fast_macs or 0,
        activation_bytes=layer.activation_bytes or 0,
    )
