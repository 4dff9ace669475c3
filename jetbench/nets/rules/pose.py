"""Layers of OpenPose: one set of heat maps, and where in them the joints are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.rules.base import Effect, Rules, image_axes, not_known, rule

if TYPE_CHECKING:
    from jetbench.nets.net import Shape
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}
_A_PEAK = 3
"""A joint: its place and its score."""


@rule(RULES, "ImResize")
def im_resize(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """One set of maps from those of all scales (OpenPose).

    Not known where the program sets the size when it runs.
    """
    _, channels, height, width = image_axes(layer, bottoms[0])
    options = layer.fields.block("imresize_param")
    size = (
        options.natural("target_spatial_height"),
        options.natural("target_spatial_width"),
    )
    (factor, *_) = (*options.numbers("factor"), 0.0)
    if factor:
        size = (int(height * factor), int(width * factor))
    return not_known(layer) if 0 in size else Effect(((1, channels, *size),))


@rule(RULES, "Nms")
def nms(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The peaks of each map, and how many they are (OpenPose)."""
    options = layer.fields.block("nms_param")
    if not (options.has("num_parts") and options.has("max_peaks")):
        return not_known(layer)
    batch, _, _, _ = image_axes(layer, bottoms[0])
    rows = options.natural("max_peaks") + 1
    return Effect(((batch, options.natural("num_parts"), rows, _A_PEAK),))
