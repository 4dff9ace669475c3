"""Layers of the SSD fork whose shapes follow from their bottoms'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import shape_text
from jetbench.nets.rules.base import Effect, Rules, axis_of, rule

if TYPE_CHECKING:
    from jetbench.nets.net import Shape
    from jetbench.nets.spec import Fields, LayerSpec

RULES: Rules = {}
_SAME_RATIO = 1e-6
"""Aspect ratios nearer than this are one to PriorBox."""
_BOX = 4
_IMAGE_AXES = 4


@rule(RULES, "Permute")
def permute(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The axes in another order; those not named follow in theirs."""
    (bottom,) = bottoms
    order = layer.fields.block("permute_param").naturals("order")
    if len(set(order)) < len(order) or any(axis >= len(bottom) for axis in order):
        raise layer.wrong("its order names an axis twice, or one that there is not")
    order += tuple(axis for axis in range(len(bottom)) if axis not in order)
    return Effect((tuple(bottom[axis] for axis in order),))


@rule(RULES, "Normalize")
def normalize(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; a learned factor for each channel, or one for all."""
    (bottom,) = bottoms
    shared = layer.fields.block("norm_param").flag("channel_shared", default=True)
    channels = bottom[axis_of(layer, bottom, 1)]
    return Effect(bottoms, weights=(() if shared else (channels,),))


@rule(RULES, "PriorBox", bottoms=(2, 2))
def prior_box(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Boxes for each place of a feature map: their corners, and their variances."""
    if len(bottoms[0]) != _IMAGE_AXES:
        raise layer.wrong(f"it lies over images with four axes, not {shape_text(bottoms[0])}")
    height, width = bottoms[0][2:]
    priors = _priors(layer.fields.block("prior_box_param"))
    return Effect(((1, 2, height * width * priors * _BOX),))


def _priors(options: Fields) -> int:
    """How many boxes a place gets."""
    ratios = [1.0]
    flip = options.flag("flip", default=True)
    for ratio in options.numbers("aspect_ratio"):
        if any(abs(ratio - other) < _SAME_RATIO for other in ratios):
            continue
        ratios.append(ratio)
        if flip and ratio:
            ratios.append(1 / ratio)
    return len(ratios) * len(options.numbers("min_size")) + len(options.numbers("max_size"))
