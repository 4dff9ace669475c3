"""Layers for optical flow and stereo: FlowNet, FlowNet 2, DispNet (Freiburg)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, count, shape_text
from jetbench.nets.rules.base import Effect, Rules, image_axes, not_known, rule

if TYPE_CHECKING:
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}


@rule(RULES, "Correlation", "Correlation1D", bottoms=(2, 2))
def correlation(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """How alike two maps are at each displacement, one a channel; products are MACs.

    Correlation1D displaces along the width only, and is padded along the width only.
    """
    first, second = bottoms
    options = layer.fields.block("correlation_param")
    kernel, reach = options.natural("kernel_size"), options.natural("max_displacement")
    if not (options.has("kernel_size") and options.has("max_displacement")):
        return not_known(layer)
    steps = (options.natural("stride_1", 1), options.natural("stride_2", 1))
    if first[1:] != second[1:] or kernel % 2 == 0 or 0 in steps:
        raise layer.wrong(
            f"{shape_text(first)} and {shape_text(second)} cannot be correlated with a kernel "
            f"of {kernel} and strides {steps[0]} and {steps[1]}"
        )
    batch, channels, height, width = image_axes(layer, first)
    flat = layer.type == "Correlation1D"
    radius, pad = (kernel - 1) // 2, options.natural("pad")
    line = 2 * (reach // steps[1]) + 1
    if flat and options.integer("single_direction"):
        line = reach // steps[1] + 1
    borders = (radius, radius + reach) if flat else (radius + reach,) * 2
    pads = (0, pad) if flat else (pad, pad)
    size = tuple(
        -(-(places + 2 * margin - 2 * border) // steps[0])
        for places, margin, border in zip((height, width), pads, borders, strict=True)
    )
    if min(size) < 1:
        raise layer.wrong(f"{shape_text(first)} is too small for its max_displacement of {reach}")
    top = (batch, line if flat else line**2, *size)
    return Effect((top,), macs=count(top) * kernel**2 * channels)


@rule(RULES, "FlowWarp", bottoms=(2, 2))
def flow_warp(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The first bottom displaced by the second (FlowNet 2)."""
    image, flow = bottoms
    if image_axes(layer, image)[2:] != image_axes(layer, flow)[2:]:
        raise layer.wrong(f"{shape_text(flow)} is no flow for {shape_text(image)}")
    return Effect((image,))


@rule(RULES, "Mean")
def mean(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape, a mean added or subtracted (FlowNet's, known by its ``operation``)."""
    if not layer.fields.block("mean_param").has("operation"):
        return not_known(layer)
    return Effect(bottoms)


@rule(RULES, "L1Loss", bottoms=(1, 2), automatic_top=True)
def l1_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss; a target for each value, 0 without a second bottom (FlowNet)."""
    if len(bottoms) > 1 and bottoms[0] != bottoms[1]:
        raise layer.wrong(
            f"{shape_text(bottoms[0])} values and {shape_text(bottoms[1])} targets differ in shape"
        )
    return Effect(((),))
