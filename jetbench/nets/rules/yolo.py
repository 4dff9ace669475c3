"""Layers of the YOLO detectors in Caffe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.rules.base import Effect, Rules, has_only, image_axes, not_known, rule

if TYPE_CHECKING:
    from jetbench.nets.net import Shape
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}
_SCALAR: Shape = ()
_A_BOX = 4
"""What EvalDetection says of a box: its label and score, and whether it is right or wrong."""


@rule(RULES, "Reorg")
def reorg(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Squares of ``stride`` places become channels, or with ``reverse`` the other way."""
    options = layer.fields.block("reorg_param")
    if not options.has("stride") or not has_only(options, "stride", "reverse"):
        return not_known(layer)
    batch, channels, height, width = image_axes(layer, bottoms[0])
    stride = options.natural("stride")
    if stride == 0:
        raise layer.wrong("its stride must be at least 1")
    if options.flag("reverse", default=False):
        return Effect(((batch, channels // stride**2, height * stride, width * stride),))
    return Effect(((batch, channels * stride**2, height // stride, width // stride),))


@rule(RULES, "Region", bottoms=(1, 2), tops=(1, None))
def region(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape: boxes and classes made probabilities (YOLO v2).

    Not known with a label or with several tops, which other forks have.
    """
    if len(bottoms) > 1 or len(layer.tops) > 1:
        return not_known(layer)
    return Effect(bottoms)


@rule(RULES, "RegionLoss", bottoms=(1, 2), tops=(1, 2), automatic_top=True)
def region_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss (YOLO v2); without labels the same shape, as of Region."""
    first = _SCALAR if len(bottoms) > 1 else bottoms[0]
    return Effect((first, None)[: len(layer.tops) or 1])


@rule(RULES, "RegionOutput", bottoms=(1, None), tops=(1, None))
def region_output(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The boxes that are kept (YOLO v2): only the data could tell how many."""
    del bottoms
    return not_known(layer)


@rule(RULES, "EvalDetection", bottoms=(2, 3))
def eval_detection(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Objects of each class and what became of each box (YOLO v1, v2; Intel)."""
    options = layer.fields.block("eval_detection_param")
    places = options.natural("side") ** 2
    boxes = places * options.natural("num_object")
    if boxes == 0:
        return not_known(layer)
    return Effect(((bottoms[0][0], options.natural("num_class") + boxes * _A_BOX),))
