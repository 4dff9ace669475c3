"""Layers that give a feature map another height and width: Interp, Upsample, Unpooling, …."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, shape_text
from jetbench.nets.rules.base import Effect, Rules, has_only, image_axes, not_known, rule
from jetbench.nets.rules.pooling import sides

if TYPE_CHECKING:
    from jetbench.nets.spec import Fields, LayerSpec

RULES: Rules = {}
_SEGNET_SCALE = 2


@rule(RULES, "Interp", bottoms=(1, 2))
def interp(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Bilinear interpolation (DeepLab, PSPNet, ICNet).

    To the second bottom's size, to ``height x width``, or by ``shrink_factor`` and
    ``zoom_factor``, which keep the corners: n places become 1 + (n - 1) / shrink and
    n + (n - 1) (zoom - 1).
    """
    if len(bottoms) > 1:
        return _like(layer, bottoms)
    options = layer.fields.block("interp_param")
    batch, channels, height, width = image_axes(layer, bottoms[0])
    cut = options.integer("pad_beg") + options.integer("pad_end")
    if options.has("shrink_factor") or options.has("zoom_factor"):
        size: Shape = tuple(_zoomed(layer, options, side + cut) for side in (height, width))
    elif options.has("height") and options.has("width"):
        size = (options.integer("height"), options.integer("width"))
    else:
        return not_known(layer)
    return _sized(layer, (batch, channels), size)


@rule(RULES, "Upsample", bottoms=(1, 2))
def upsample(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """A larger map: by the places that a Pooling kept (SegNet), or by repetition (YOLO v3).

    SegNet's has the places as its second bottom, and ``upsample_h``, ``upsample_w`` or
    ``scale``, 2 if left out, less one with ``pad_out_h`` or ``pad_out_w``.
    """
    options = layer.fields.block("upsample_param")
    batch, channels, height, width = image_axes(layer, bottoms[0])
    segnet = len(bottoms) > 1
    if segnet and bottoms[0] != bottoms[1]:
        return not_known(layer)
    for pair in (("upsample_h", "upsample_w"), ("height", "width")):
        if all(map(options.has, pair)):
            size = tuple(map(options.natural, pair))
            return _sized(layer, (batch, channels), size)
    factors = _factors(options) or ((_SEGNET_SCALE,) * 2 if segnet else None)
    if factors is None:
        return not_known(layer)
    pads = (options.flag("pad_out_h", default=False), options.flag("pad_out_w", default=False))
    size = (height * factors[0] - pads[0], width * factors[1] - pads[1])
    return _sized(layer, (batch, channels), size)


@rule(RULES, "Unpooling", bottoms=(1, 2))
def unpooling(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Values put back where a Pooling took them from (DeconvNet)."""
    options = layer.fields.block("unpooling_param")
    batch, channels, height, width = image_axes(layer, bottoms[0])
    if options.has("unpool_size"):
        return _sized(layer, (batch, channels), (options.natural("unpool_size"),) * 2)
    if options.has("unpool_h") and options.has("unpool_w"):
        size: Shape = (options.natural("unpool_h"), options.natural("unpool_w"))
        return _sized(layer, (batch, channels), size)
    if not layer.fields.has("unpooling_param"):
        return not_known(layer)
    kernel = sides(layer, options, "kernel", 0)
    stride = sides(layer, options, "stride", 1)
    pad = sides(layer, options, "pad", 0)
    size = tuple(
        max((places - 1) * step + window - 2 * margin, places * step - margin + 1)
        for places, window, step, margin in zip((height, width), kernel, stride, pad, strict=True)
    )
    return _sized(layer, (batch, channels), size)


@rule(RULES, "Resample", "Downsample", bottoms=(1, 2))
def resample(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Interpolation to the second bottom's size, or to a given one (FlowNet)."""
    if len(bottoms) > 1:
        return _like(layer, bottoms)
    if layer.type == "Resample":
        options, names = layer.fields.block("resample_param"), ("height", "width")
    else:
        options, names = layer.fields.block("downsample_param"), ("top_height", "top_width")
    if not all(map(options.has, names)):
        return not_known(layer)
    return _sized(layer, image_axes(layer, bottoms[0])[:2], tuple(map(options.natural, names)))


@rule(RULES, "SpatialTransformer", bottoms=(2, 2))
def spatial_transformer(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """A window cut out and straightened, of the same size if none is given (STN forks)."""
    options = layer.fields.block("st_param")
    if not layer.fields.has("st_param"):
        return not_known(layer)
    batch, channels, height, width = image_axes(layer, bottoms[0])
    size = (options.natural("output_H", height), options.natural("output_W", width))
    return _sized(layer, (batch, channels), size)


def _like(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The first bottom in the size of the second."""
    batch, channels, _, _ = image_axes(layer, bottoms[0])
    return Effect(((batch, channels, *image_axes(layer, bottoms[1])[2:]),))


def _sized(layer: LayerSpec, before: Shape, size: Shape) -> Effect:
    if min(size) < 1:
        raise layer.wrong(f"its output would be {shape_text((*before, *size))}")
    return Effect(((*before, *size),))


def _zoomed(layer: LayerSpec, options: Fields, places: int) -> int:
    shrink, zoom = options.integer("shrink_factor", 1), options.integer("zoom_factor", 1)
    if shrink < 1 or zoom < 1:
        raise layer.wrong("its shrink_factor and zoom_factor must be at least 1")
    places = (places - 1) // shrink + 1
    return places + (places - 1) * (zoom - 1)


def _factors(options: Fields) -> Shape | None:
    """By how much height and width grow; None where the block does not say, or says more."""
    if not has_only(options, *_SCALES, "scale_h", "scale_w", "pad_out_h", "pad_out_w"):
        return None
    if options.has("scale_h") and options.has("scale_w"):
        return (options.natural("scale_h"), options.natural("scale_w"))
    name = next(filter(options.has, _SCALES), None)
    return None if name is None else (options.natural(name),) * 2


_SCALES = ("scale", "stride", "upsample_ratio")
"""What forks call the factor by which Upsample makes a map larger."""
