"""Layers of the SSD fork, and of those that come from it (RefineDet, YOLO in Caffe)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import shape_text
from jetbench.nets.rules.base import Effect, Rules, not_known, rule

if TYPE_CHECKING:
    from jetbench.nets.net import Shape
    from jetbench.nets.spec import Fields, LayerSpec

RULES: Rules = {}
_SAME_RATIO = 1e-6
"""Aspect ratios nearer than this are one to PriorBox."""
_BOX = 4
_IMAGE_AXES = 4
_ONE_DETECTION = (1, 1, 1, 7)


@rule(RULES, "Permute")
def permute(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The axes in another order; those not named follow in theirs."""
    (bottom,) = bottoms
    order = layer.fields.block("permute_param").naturals("order")
    if len(set(order)) < len(order) or any(axis >= len(bottom) for axis in order):
        raise layer.wrong("its order names an axis twice, or one that there is not")
    order += tuple(axis for axis in range(len(bottom)) if axis not in order)
    return Effect((tuple(bottom[axis] for axis in order),))


@rule(RULES, "PriorBox", bottoms=(2, 2))
def prior_box(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Boxes for each place of a feature map: their corners, and their variances."""
    if len(bottoms[0]) != _IMAGE_AXES:
        raise layer.wrong(f"it lies over images with four axes, not {shape_text(bottoms[0])}")
    height, width = bottoms[0][2:]
    priors = _priors(layer.fields.block("prior_box_param"))
    return Effect(((1, 2, height * width * priors * _BOX),))


@rule(RULES, "DetectionOutput", bottoms=(3, 5))
def detection_output(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Seven numbers for each box that is kept (SSD; RefineDet adds two bottoms).

    How many those are only the data can tell. The layer is set up for one, and that is what
    Caffe's log says.
    """
    places, scores = bottoms[:2]
    if places[:1] != scores[:1]:
        raise layer.wrong(
            f"{layer.bottoms[0]!r} is {shape_text(places)}, {layer.bottoms[1]!r} is "
            f"{shape_text(scores)}: the first axis must be the same"
        )
    return Effect((_ONE_DETECTION,))


@rule(RULES, "DetectionEvaluate", bottoms=(2, 2))
def detection_evaluate(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Which boxes were right (SSD): a row for each that the detector kept, and each class."""
    del bottoms
    return not_known(layer)


@rule(RULES, "YoloDetectionOutput", "Yolov3DetectionOutput", bottoms=(1, None))
def yolo_detection_output(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Seven numbers for each box that is kept (YOLO in Caffe), set up for one as in SSD."""
    del layer, bottoms
    return Effect((_ONE_DETECTION,))


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
