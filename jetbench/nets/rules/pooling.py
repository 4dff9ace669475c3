"""Pooling, with Caffe's rounding up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, shape_text
from jetbench.nets.rules.base import Effect, Rules, has_only, not_known, rule
from jetbench.nets.rules.convolution import spatial

if TYPE_CHECKING:
    from jetbench.nets.spec import Fields, LayerSpec

RULES: Rules = {}
_IMAGE_AXES = 4
_NO_SIZE = "its kernel and its stride must be at least 1"
_MOST_LEVELS = 15
"""More would be more places than a blob can hold."""


@rule(RULES, "Pooling", tops=(1, 2))
def pooling(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The largest or the mean value of each window.

    The size rounds up, and a last window that would lie in the padding alone is left out.
    ``round_mode`` (BVLC since 2018) and ``ceil_mode`` (forks) can ask to round down.
    """
    (bottom,) = bottoms
    options = layer.fields.block("pooling_param")
    if len(bottom) != _IMAGE_AXES:
        return _pooled_over_more_axes(layer, options, bottom)
    rounds_up = options.word("round_mode", "CEIL") != "FLOOR" and options.flag(
        "ceil_mode", default=True
    )
    if options.flag("global_pooling", default=False):
        kernel = bottom[2:]
    else:
        kernel = sides(layer, options, "kernel", 0)
    stride = sides(layer, options, "stride", 1)
    pad = sides(layer, options, "pad", 0)
    if 0 in kernel or 0 in stride:
        raise layer.wrong(_NO_SIZE)
    if any(padding >= size for padding, size in zip(pad, kernel, strict=True)):
        raise layer.wrong(f"its padding of {shape_text(pad)} is not smaller than its kernel")
    pooled = []
    for side in range(2):
        room = bottom[2 + side] + 2 * pad[side] - kernel[side]
        places = (-(-room // stride[side]) if rounds_up else room // stride[side]) + 1
        if any(pad) and (places - 1) * stride[side] >= bottom[2 + side] + pad[side]:
            places -= 1
        pooled.append(places)
    return Effect(((*bottom[:2], *pooled),) * len(layer.tops))


@rule(RULES, "SPP")
def spatial_pyramid(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Pooled to 1, 4, 16, … places of each channel, all side by side."""
    (bottom,) = bottoms
    levels = layer.fields.block("spp_param").natural("pyramid_height")
    if len(bottom) != _IMAGE_AXES or not 0 < levels <= _MOST_LEVELS:
        raise layer.wrong(f"no pyramid of {levels} levels over {shape_text(bottom)}")
    if levels == 1:
        return Effect(((*bottom[:2], 1, 1),))
    return Effect(((bottom[0], bottom[1] * sum(4**level for level in range(levels))),))


def _pooled_over_more_axes(layer: LayerSpec, options: Fields, bottom: Shape) -> Effect:
    """Pooled in time as well: BVLC cannot, some forks for video can (temporal segment networks).

    They have a number for each axis. Not known with settings beyond kernel and stride.
    """
    axes = len(bottom) - 2
    told = options.has("kernel_size") and has_only(options, "pool", "kernel_size", "stride")
    if axes < _IMAGE_AXES - 2 or not told:
        return not_known(layer)
    kernel = spatial(layer, options, ("kernel_size", "", ""), axes, None)
    stride = spatial(layer, options, ("stride", "", ""), axes, 1)
    if 0 in kernel or 0 in stride:
        raise layer.wrong(_NO_SIZE)
    places = tuple(
        -(-(size - window) // step) + 1
        for size, window, step in zip(bottom[2:], kernel, stride, strict=True)
    )
    return Effect(((*bottom[:2], *places),) * len(layer.tops))


def sides(layer: LayerSpec, options: Fields, name: str, default: int) -> Shape:
    """A setting for height and width, given as one or as ``_h`` and ``_w``."""
    both = "kernel_size" if name == "kernel" else name
    if options.has(f"{name}_h") or options.has(f"{name}_w"):
        if options.has(both):
            raise layer.wrong(f"it has both {both} and {name}_h or {name}_w")
        if name != "pad" and not (options.has(f"{name}_h") and options.has(f"{name}_w")):
            raise layer.wrong(f"it has only one of {name}_h and {name}_w")
        return (options.natural(f"{name}_h", default), options.natural(f"{name}_w", default))
    return (options.natural(both, default),) * 2
