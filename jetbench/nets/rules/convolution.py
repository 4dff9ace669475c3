"""Convolution, Deconvolution and Im2col: any number of spatial axes, groups, dilation.

Also the forks' depthwise and deformable ones.
"""

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
class Window:
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


@rule(RULES, "Convolution", "DepthwiseConvolution", bottoms=(1, None), tops=(1, None))
def convolution(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """``num_output`` channels; the spatial size rounds down.

    DepthwiseConvolution (common mobile forks) is the same with a faster kernel: its ``group``
    stands in the prototxt.
    """
    _one_top_a_bottom(layer, bottoms)
    options = layer.fields.block("convolution_param")
    window = window_of(layer, options, bottoms[0])
    return convolved(layer, bottoms, window, options.natural("group", 1), options)


@rule(RULES, "Deconvolution", bottoms=(1, None), tops=(1, None))
def deconvolution(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The transpose of a convolution: what that would make of the top is the bottom."""
    _one_top_a_bottom(layer, bottoms)
    options = layer.fields.block("convolution_param")
    window = window_of(layer, options, bottoms[0])
    return deconvolved(layer, bottoms, window, options.natural("group", 1), options)


@rule(RULES, "ConvolutionDepthwise", "ConvolutionDepthWise")
def convolution_depthwise(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """A filter of its own for each channel (common mobile forks); MACs are counted.

    ``num_output`` and ``group`` are not looked at.
    """
    (bottom,) = bottoms
    options = layer.fields.block("convolution_param")
    window = window_of(layer, options, bottom)
    channels = bottom[window.axis]
    top = (*bottom[: window.axis + 1], *slid(layer, bottom, window))
    weights = (channels, 1, *window.kernel)
    macs = count(top) * count(window.kernel)
    return Effect((top,), _with_bias(options, weights, channels), (), macs, _fast(macs, window))


@rule(RULES, "DeformableConvolution", bottoms=(2, 2))
def deformable_convolution(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """A convolution whose window is bent by its second bottom (MSRA's Deformable ConvNets).

    MACs are those of the matrix product; the interpolation of its inputs is not counted.
    """
    block = "deformable_convolution_param"
    options = layer.fields.block(block if layer.fields.has(block) else "convolution_param")
    window = window_of(layer, options, bottoms[0])
    plain = convolved(layer, bottoms[:1], window, options.natural("group", 1), options)
    return Effect(plain.tops, plain.weights, macs=plain.macs)


@rule(RULES, "Im2col")
def im2col(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Each window's values side by side, as channels."""
    (bottom,) = bottoms
    window = window_of(layer, layer.fields.block("convolution_param"), bottom)
    channels = bottom[window.axis] * count(window.kernel)
    return Effect(((*bottom[: window.axis], channels, *slid(layer, bottom, window)),))


def convolved(
    layer: LayerSpec, bottoms: tuple[Shape, ...], window: Window, group: int, options: Fields
) -> Effect:
    """What a convolution with this window makes of bottoms of one shape."""
    channels, outputs = _channels(layer, bottoms[0], window, group, options)
    top = (*bottoms[0][: window.axis], outputs, *slid(layer, bottoms[0], window))
    weights = (outputs, channels // group, *window.kernel)
    macs = len(bottoms) * count(top) * count(weights[1:])
    return Effect(
        tops=(top,) * len(layer.tops),
        weights=_with_bias(options, weights, outputs),
        macs=macs,
        fast_macs=_fast(macs, window),
    )


def deconvolved(
    layer: LayerSpec, bottoms: tuple[Shape, ...], window: Window, group: int, options: Fields
) -> Effect:
    """What a deconvolution with this window makes of bottoms of one shape."""
    channels, outputs = _channels(layer, bottoms[0], window, group, options)
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
        weights=_with_bias(options, weights, outputs),
        macs=macs,
        fast_macs=_fast(macs, window),
    )


def window_of(layer: LayerSpec, options: Fields, bottom: Shape) -> Window:
    """The window that a block in the manner of ``convolution_param`` describes."""
    axis = axis_of(layer, bottom, options.integer("axis", 1))
    axes = len(bottom) - axis - 1
    window = Window(
        axis=axis,
        kernel=spatial(layer, options, ("kernel_size", "kernel_h", "kernel_w"), axes, None),
        stride=spatial(layer, options, ("stride", "stride_h", "stride_w"), axes, 1),
        pad=spatial(layer, options, ("pad", "pad_h", "pad_w"), axes, 0),
        dilation=spatial(layer, options, ("dilation", "", ""), axes, 1),
    )
    check_window(layer, window)
    return window


def check_window(layer: LayerSpec, window: Window) -> None:
    """Refuse a window of no size, or one that does not move."""
    if 0 in window.kernel or 0 in window.stride:
        raise layer.wrong("its kernel and its stride must be at least 1")


def slid(layer: LayerSpec, bottom: Shape, window: Window) -> Shape:
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


def _one_top_a_bottom(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> None:
    if len(bottoms) != len(layer.tops):
        raise layer.wrong("it needs as many tops as bottoms")
    if any(shape != bottoms[0] for shape in bottoms):
        raise layer.wrong("its bottoms differ in shape")


def _channels(
    layer: LayerSpec, bottom: Shape, window: Window, group: int, options: Fields
) -> tuple[int, int]:
    """The channels that come in and go out."""
    channels, outputs = bottom[window.axis], options.natural("num_output")
    if outputs == 0:
        raise layer.wrong("it has no num_output")
    if group == 0 or channels % group or outputs % group:
        raise layer.wrong(f"{channels} channels to {outputs} cannot be done in {group} groups")
    return channels, outputs


def spatial(
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


def _fast(macs: int, window: Window) -> int:
    """The multiplications left where Winograd or FFT apply: at best a quarter.

    cuDNN has them for windows of two axes, 3 x 3 or larger, that move by 1 without holes.
    """
    fits = (
        len(window.kernel) == _PLANE
        and min(window.kernel) >= _LEAST_FAST_KERNEL
        and set(window.stride) | set(window.dilation) == {1}
    )
    return -(-macs // _FAST_GAIN) if fits else macs


def _with_bias(options: Fields, weights: Shape, outputs: int) -> tuple[Shape, ...]:
    return (weights, (outputs,)) if options.flag("bias_term", default=True) else (weights,)
