"""What the peaks of a TX2 allow, and for which time at best."""

from __future__ import annotations

import pytest

from jetbench.nets.build import build_net
from jetbench.nets.peaks import TX2_PEAKS, bound_ms, layer_bound_ms
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


def test_unknown_layer_leaves_no_bound() -> None:
    """A sum that lacks a part is no bound."""
    text = CONVOLUTION + 'layer { name: "odd" type: "Python" bottom: "c" top: "odd" }'
    assert bound_ms(build_net(text), MAXN) is None


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
