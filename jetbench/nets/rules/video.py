"""Layers for video, of C3D (Facebook) and P3D: blobs ``N x C x length x height x width``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, shape_text
from jetbench.nets.rules.base import Effect, Rules, not_known, rule, undecided
from jetbench.nets.rules.convolution import Window, check_window, convolved, deconvolved

if TYPE_CHECKING:
    from jetbench.nets.spec import Fields, LayerSpec

RULES: Rules = {}
_VIDEO_AXES = 5
_TIME_NAMES = (
    ("kernel_depth", "temporal_stride", "temporal_pad"),
    ("kernel_l", "stride_l", "pad_l"),
)
"""What C3D and P3D call a window's length, stride and padding in time."""


@rule(RULES, "Convolution3D", "CONVOLUTION3D")
def convolution_3d(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """A convolution over time, height and width (C3D, P3D); MACs are counted."""
    options = _options(layer, "convolution3d_param", "convolution_param")
    window = _window(layer, options, bottoms[0])
    if window is None:
        return undecided(layer)
    return convolved(layer, bottoms, window, _groups(options), options)


@rule(RULES, "Deconvolution3D", "DECONVOLUTION3D")
def deconvolution_3d(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The transpose of Convolution3D (C3D, P3D); MACs are counted."""
    options = _options(layer, "convolution3d_param", "convolution_param")
    window = _window(layer, options, bottoms[0])
    if window is None:
        return undecided(layer)
    return deconvolved(layer, bottoms, window, _groups(options), options)


@rule(RULES, "Pooling3D", "POOLING3D")
def pooling_3d(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The largest or the mean value of each window (C3D, P3D); the size rounds up.

    Not known with padding, after which not all forks leave out a last window.
    """
    (bottom,) = bottoms
    window = _window(layer, _options(layer, "pooling3d_param", "pooling_param"), bottom)
    if window is None or any(window.pad):
        return not_known(layer)
    spatial = tuple(
        -(-(size - kernel) // stride) + 1
        for size, kernel, stride in zip(bottom[2:], window.kernel, window.stride, strict=True)
    )
    return Effect(((*bottom[:2], *spatial),))


def _options(layer: LayerSpec, own: str, old: str) -> Fields:
    """The layer's block; C3D 1.0 had it in the one of its namesake for images."""
    return layer.fields.block(own if layer.fields.has(own) else old)


def _groups(options: Fields) -> int:
    name = "filter_group" if options.has("filter_group") else "group"
    return options.natural(name, 1)


def _window(layer: LayerSpec, options: Fields, bottom: Shape) -> Window | None:
    """The window; None where its length has a name that neither fork uses."""
    if len(bottom) != _VIDEO_AXES:
        raise layer.wrong(f"it takes videos with five axes, not {shape_text(bottom)}")
    names = next((names for names in _TIME_NAMES if options.has(names[0])), None)
    if names is None or not options.has("kernel_size"):
        return None
    depth, stride, pad = names

    def sides(time: str, plane: str, default: int) -> Shape:
        both = options.natural(plane, default)
        return (options.natural(time, default), both, both)

    window = Window(
        axis=1,
        kernel=sides(depth, "kernel_size", 0),
        stride=sides(stride, "stride", 1),
        pad=sides(pad, "pad", 0),
        dilation=(1, 1, 1),
    )
    check_window(layer, window)
    return window
