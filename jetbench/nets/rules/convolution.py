"""Convolution, Deconvolution and Im2col: any number of spatial axes, groups, dilation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, count, shape_text
from jetbench.nets.rules.base import Effect, Rules, axis_of, rule

if TYPE_CHECKING:
    from jetbench.nets.spec import Fields, LayerSpec

RULES: Rules = {}
_PLANE = 2
_LEAST_FAST_KERNEL = 3
_FAST_GAIN = 4
"""F(4x4, 3x3): 36 multiplications where direct arithmetic has 144."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A sliding window: one number for each spatial axis."""

    axis: int
    """The axis of the channels; those after it are spatial."""
    kernel: Shape
    stride: Shape
    pad: Shape
    dilation: Shape

    def extent(self) -> Shape:
        """The window's size with its holes."""
        return tuple(
            dilation * (kernel - 1) + 1
            for kernel, dilation in zip(self.kernel, self.dilation, strict=True)
        )


@rule(RULES, "Convolution", bottoms=(1, None), tops=(1, None))
def convolution(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """``num_output`` channels; the spatial size rounds down."""
    window, channels, outputs, group = _set_up(layer, bottoms)
    top = (*bottoms[0][: window.axis], outputs, *_slid(layer, bottoms[0], window))
    weights = (outputs, channels // group, *window.kernel)
    macs = len(bottoms) * count(top) * count(weights[1:])
    return Effect(
        tops=(top,) * len(layer.tops),
        weights=_with_bias(layer, weights, outputs),
        macs=macs,
        fast_macs=_fast(macs, window),
    )


@rule(RULES, "Deconvolution", bottoms=(1, None), tops=(1, None))
def deconvolution(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The transpose of a convolution: what that would make of the top is the bottom."""
    window, channels, outputs, group = _set_up(layer, bottoms)
    spatial = tuple(
        stride * (size - 1) + extent - 2 * pad
        for size, stride, extent, pad in zip(
            bottoms[0][window.axis + 1 :], window.stride, window.extent(), window.pad, strict=True
        )
    )
    weights = (channels, outputs // group, *window.kernel)
    macs = len(bottoms) * count(bottoms[0]) * count(weights[1:])
    return Effect(
        tops=((*bottoms[0][: window.axis], outputs, *spatial),) * len(layer.tops),
        weights=_with_bias(layer, weights, outputs),
        macs=macs,
        fast_macs=_fast(macs, window),
    )


@rule(RULES, "Im2col")
def im2col(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Each window's values side by side, as channels."""
    window = _window(layer, bottoms[0])
    channels = bottoms[0][window.axis] * count(window.kernel)
    return Effect(((*bottoms[0][: window.axis], channels, *_slid(layer, bottoms[0], window)),))


def _set_up(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> tuple[_Window, int, int, int]:
    """The window, the channels that come in and go out, and the number of groups."""
    if len(bottoms) != len(layer.tops):
        raise layer.wrong("it needs as many tops as bottoms")
    if any(shape != bottoms[0] for shape in bottoms):
        raise layer.wrong("its bottoms differ in shape")
    window = _window(layer, bottoms[0])
    options = layer.fields.block("convolution_param")
    channels = bottoms[0][window.axis]
    outputs = options.natural("num_output")
    group = options.natural("group", 1)
    if outputs == 0:
        raise layer.wrong("it has no num_output")
    if group == 0 or channels % group or outputs % group:
        raise layer.wrong(f"{channels} channels to {outputs} cannot be done in {group} groups")
    return window, channels, outputs, group


def _window(layer: LayerSpec, bottom: Shape) -> _Window:
    options = layer.fields.block("convolution_param")
    axis = axis_of(layer, bottom, options.integer("axis", 1))
    axes = len(bottom) - axis - 1
    window = _Window(
        axis=axis,
        kernel=_spatial(layer, options, ("kernel_size", "kernel_h", "kernel_w"), axes, None),
        stride=_spatial(layer, options, ("stride", "stride_h", "stride_w"), axes, 1),
        pad=_spatial(layer, options, ("pad", "pad_h", "pad_w"), axes, 0),
        dilation=_spatial(layer, options, ("dilation", "", ""), axes, 1),
    )
    if 0 in window.kernel or 0 in window.stride:
        raise layer.wrong("its kernel and its stride must be at least 1")
    return window


def _spatial(
    layer: LayerSpec,
    options: Fields,
    names: tuple[str, str, str],
    axes: int,
    default: int | None,
) -> Shape:
    """A setting for each spatial axis: given once for all, once for each, or as _h and _w."""
    name, height, width = names
    if options.has(height) or options.has(width):
        if options.has(name):
            raise layer.wrong(f"it has both {name} and {height} or {width}")
        if axes != _PLANE:
            raise layer.wrong(f"{height} and {width} are for blobs with two spatial axes")
        return (options.natural(height), options.natural(width))
    values = options.naturals(name)
    if not values:
        if default is None and axes:
            raise layer.wrong(f"it has no {name}")
        return (default or 0,) * axes
    if len(values) == 1:
        return values * axes
    if len(values) != axes:
        raise layer.wrong(f"{len(values)} {name} for {axes} spatial axes")
    return values


def _slid(layer: LayerSpec, bottom: Shape, window: _Window) -> Shape:
    """How many places the window takes on each spatial axis."""
    sizes = bottom[window.axis + 1 :]
    places = []
    for size, extent, stride, pad in zip(
        sizes, window.extent(), window.stride, window.pad, strict=True
    ):
        room = size + 2 * pad - extent
        if room < 0:
            raise layer.wrong(
                f"its kernel of {shape_text(window.kernel)} is larger than its input of "
                f"{shape_text(bottom)}"
            )
        places.append(room // stride + 1)
    return tuple(places)


def _fast(macs: int, window: _Window) -> int:
    """The multiplications left where Winograd or FFT apply: at best a quarter.

    cuDNN has them for windows of two axes, 3 x 3 or larger, that move by 1 without holes.
    """
    fits = (
        len(window.kernel) == _PLANE
        and min(window.kernel) >= _LEAST_FAST_KERNEL
        and set(window.stride) | set(window.dilation) == {1}
    )
    return -(-macs // _FAST_GAIN) if fits else macs


def _with_bias(layer: LayerSpec, weights: Shape, outputs: int) -> tuple[Shape, ...]:
    has_bias = layer.fields.block("convolution_param").flag("bias_term", default=True)
    return (weights, (outputs,)) if has_bias else (weights,)
