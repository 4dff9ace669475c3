"""What the peaks of a TX2 allow, and for which time at best."""

from __future__ import annotations

import pytest

from jetbench.domain.facts import PowerMode
from jetbench.nets.build import build_net
from jetbench.nets.peaks import (
    TX2_HIGHEST_PEAKS,
    TX2_PEAKS,
    at_least,
    bound_ms,
    floor_ms,
    layer_bound_ms,
    limit_of,
    precision_of,
    tx2_mode,
)
from jetbench.nets.zoo import text_of

MAXN = TX2_PEAKS[0]
CONVOLUTION = """\
input: "x" input_dim: 1 input_dim: 64 input_dim: 58 input_dim: 58
layer { name: "c" type: "Convolution" bottom: "x" top: "c"
        convolution_param { num_output: 64 kernel_size: 3 bias_term: false } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" }
"""


def test_peaks_follow_from_the_clocks() -> None:
    """256 cores, a multiply-add a clock each; 32 bytes a clock of the memory."""
    assert MAXN.fp32_gflops == pytest.approx(665.9, abs=0.05)
    assert MAXN.memory_gb_s == pytest.approx(59.7, abs=0.05)
    maxq = TX2_PEAKS[1]
    assert (maxq.mode_name, round(maxq.fp32_gflops), round(maxq.memory_gb_s, 1)) == (
        "MAXQ",
        437,
        42.6,
    )
    assert all(TX2_PEAKS[mode].memory_gb_s == pytest.approx(51.2) for mode in (2, 3, 4))
    assert all(peak.fp16_gflops == 2 * peak.fp32_gflops for peak in TX2_PEAKS.values())


def test_layer_is_bound_by_what_takes_longer() -> None:
    """A convolution by its arithmetic, a ReLU by its bytes, an input by nothing."""
    data, convolution, relu = build_net(CONVOLUTION).layers
    macs = 64 * 56 * 56 * 64 * 9
    assert layer_bound_ms(convolution, MAXN) == pytest.approx(2 * macs / 665.856e6)
    assert layer_bound_ms(relu, MAXN) == pytest.approx(2 * 4 * 64 * 56 * 56 / 59.712e6)
    assert layer_bound_ms(data, MAXN) == 0


def test_half_precision_halves_both() -> None:
    """FP16 has twice the arithmetic and half the bytes."""
    net = build_net(CONVOLUTION)
    full, half = bound_ms(net, MAXN), bound_ms(net, MAXN, precision="fp16")
    assert full is not None
    assert half == pytest.approx(full / 2)


def test_fast_algorithms_need_stride_one() -> None:
    """Winograd saves up to three quarters of a 3 x 3 convolution, nothing of a strided one."""
    _, plain, _ = build_net(CONVOLUTION).layers
    strided = build_net(CONVOLUTION.replace("kernel_size: 3", "kernel_size: 3 stride: 2"))
    assert plain.macs is not None
    assert plain.fast_macs == plain.macs // 4
    assert strided.layers[1].fast_macs == strided.layers[1].macs


UNKNOWN = CONVOLUTION + 'layer { name: "odd" type: "Python" bottom: "c" top: "odd" }'


def test_unknown_layer_leaves_no_bound() -> None:
    """A sum that lacks a part is no bound."""
    assert bound_ms(build_net(UNKNOWN), MAXN) is None


def test_limit_is_named() -> None:
    """Arithmetic for a convolution, memory for a ReLU, nothing where nothing is done."""
    layers = build_net(UNKNOWN).layers
    assert [limit_of(layer, MAXN) for layer in layers] == [None, "arithmetic", "memory", None]


def test_floor_counts_what_is_known() -> None:
    """The rest counts as nothing: what is left is still below any right time."""
    known, unknown = build_net(CONVOLUTION), build_net(UNKNOWN)
    assert floor_ms(unknown, 0) == floor_ms(known, 0) == bound_ms(known, MAXN, fast=True)
    assert at_least(unknown).params == known.params
    assert at_least(known) == known
    assert floor_ms(build_net(UNKNOWN.replace("Convolution", "Odd")), 0) is None


@pytest.mark.parametrize(("mode", "mhz"), [(0, 1300.5), (1, 930.75), (2, 1134.75), (3, 1134.75)])
def test_floor_is_that_of_the_faster_table_of_clocks(mode: int, mhz: float) -> None:
    """A cap of 850 MHz means 854.25 MHz on one TX2 and 930.75 MHz on another."""
    assert TX2_HIGHEST_PEAKS[mode].gpu_mhz == mhz
    assert TX2_HIGHEST_PEAKS[mode].memory_gb_s == TX2_PEAKS[mode].memory_gb_s
    net = build_net(CONVOLUTION)
    floor, bound = floor_ms(net, mode), bound_ms(net, TX2_PEAKS[mode], fast=True)
    assert floor is not None
    assert bound is not None
    assert floor <= bound


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("", "fp32"),
        ("default_forward_type: FLOAT", "fp32"),
        ("default_forward_type: FLOAT16", "fp16"),
        ("default_forward_math: FLOAT16", "fp16"),
        ("default_backward_type: FLOAT16", "fp32"),
        ("# default_forward_type: FLOAT16", "fp32"),
        ('layer { name: "s" type: "ReLU" forward_type: FLOAT16 }', "fp16"),
        ('layer { name: "FLOAT16" type: "ReLU" forward_type: FLOAT }', "fp32"),
    ],
)
def test_half_precision_is_read_from_the_net(text: str, precision: str) -> None:
    """As NVIDIA's fork has it: for the whole net, or for a layer."""
    assert precision_of(f"{text}\n{CONVOLUTION}") == precision


@pytest.mark.parametrize(
    ("hardware", "mode", "found"),
    [
        ("quill", PowerMode(0, "MAXN"), "MAXN"),
        ("NVIDIA Jetson TX2 Developer Kit", PowerMode(1, None), "MAXQ"),
        ("quill", PowerMode(3, "MAXP_CORE_ARM"), "MAXP_CORE_ARM"),
        ("quill", PowerMode(0, "MY_OWN"), None),
        ("quill", PowerMode(7, "MAXN"), None),
        ("quill", None, None),
        ("lanai-3636", PowerMode(0, "MAXN"), None),
        ("NVIDIA Jetson Xavier NX Developer Kit", PowerMode(0, "MAXN"), None),
        (None, PowerMode(0, "MAXN"), None),
    ],
)
def test_peaks_hold_for_a_tx2_in_a_mode_of_nvidias(
    hardware: str | None, mode: PowerMode | None, found: str | None
) -> None:
    """Another board has other peaks, also where its modes are called the same."""
    peak = tx2_mode(hardware, mode)
    assert (peak and peak.mode_name) == found


@pytest.mark.parametrize(
    ("model", "direct_ms", "fast_ms"),
    [
        ("bvlc_alexnet", 6.1, 4.9),
        ("bvlc_googlenet", 5.8, 3.4),
        ("vgg16", 56.7, 22.3),
        ("resnet50", 17.0, 13.0),
    ],
)
def test_bounds_of_the_published_models(model: str, direct_ms: float, fast_ms: float) -> None:
    """At batch 1 in MAXN the two bounds are the ones worked out by hand."""
    net = build_net(text_of(model).replace("dim: 10", "dim: 1", 1))
    assert bound_ms(net, MAXN) == pytest.approx(direct_ms, abs=0.05)
    assert bound_ms(net, MAXN, fast=True) == pytest.approx(fast_ms, abs=0.05)


def test_bounds_rise_as_clocks_fall() -> None:
    """MAXQ allows less than MAXP, and that less than MAXN."""
    net = build_net(text_of("resnet50"))
    bounds = [bound_ms(net, TX2_PEAKS[mode]) or 0 for mode in (0, 3, 1)]
    assert bounds == sorted(bounds)
    assert bounds[0] > 0
