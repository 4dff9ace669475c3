"""Losses and Accuracy: what they make is a number or few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, count, shape_text
from jetbench.nets.rules.base import Effect, Rules, axis_of, image_axes, rule

if TYPE_CHECKING:
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}
_SCALAR: Shape = ()


@rule(RULES, "SoftmaxWithLoss", bottoms=(2, 2), tops=(1, 2), automatic_top=True)
def softmax_with_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss, and perhaps the probabilities."""
    _same_batch(layer, bottoms)
    _one_label_a_place(layer, bottoms, "softmax_param")
    return Effect((_SCALAR, bottoms[0])[: len(layer.tops) or 1])


@rule(RULES, "InfogainLoss", bottoms=(2, 3), tops=(1, 2), automatic_top=True)
def infogain_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss, and perhaps the probabilities; a third bottom is the matrix of gains."""
    _same_batch(layer, bottoms)
    _one_label_a_place(layer, bottoms, "infogain_loss_param")
    return Effect((_SCALAR, bottoms[0])[: len(layer.tops) or 1])


@rule(RULES, "EuclideanLoss", "SigmoidCrossEntropyLoss", bottoms=(2, 2), automatic_top=True)
def target_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss; a target for each value."""
    _same_batch(layer, bottoms)
    _same_count(layer, bottoms)
    return Effect((_SCALAR,))


@rule(RULES, "HingeLoss", "MultinomialLogisticLoss", bottoms=(2, 2), automatic_top=True)
def class_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss."""
    _same_batch(layer, bottoms)
    return Effect((_SCALAR,))


@rule(RULES, "ContrastiveLoss", bottoms=(3, 3), automatic_top=True)
def contrastive_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss of two blobs of features that are alike or not."""
    _same_batch(layer, bottoms)
    sizes = [image_axes(layer, shape)[1:] for shape in bottoms]
    if sizes[0] != sizes[1] or sizes[0][1:] != (1, 1) or sizes[2] != (1, 1, 1):
        raise layer.wrong(
            f"{shape_text(bottoms[0])} and {shape_text(bottoms[1])} features with "
            f"{shape_text(bottoms[2])} labels cannot be contrasted"
        )
    return Effect((_SCALAR,))


@rule(RULES, "MultiBoxLoss", "SqueezeDetLoss", bottoms=(4, 6), automatic_top=True)
def detector_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss of locations and confidences (SSD, SqueezeDet; RefineDet adds two bottoms)."""
    del layer, bottoms
    return Effect((_SCALAR,))


@rule(RULES, "SmoothL1Loss", "SMOOTH_L1_LOSS", bottoms=(2, 4), automatic_top=True)
def smooth_l1_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss; a target, and perhaps weights, for each value (Fast R-CNN)."""
    for name, shape in zip(layer.bottoms, bottoms, strict=True):
        if image_axes(layer, shape)[1:] != image_axes(layer, bottoms[0])[1:]:
            raise layer.wrong(
                f"{layer.bottoms[0]!r} is {shape_text(bottoms[0])}, {name!r} is "
                f"{shape_text(shape)}: channels, height and width must be the same"
            )
    return Effect((_SCALAR,))


@rule(
    RULES,
    "SmoothL1LossOHEM",
    "SoftmaxWithLossOHEM",
    "FocalLoss",
    bottoms=(2, 4),
    tops=(1, 3),
    automatic_top=True,
)
def hard_example_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss, and what the hardest examples are chosen by (R-FCN, RetinaNet forks)."""
    del bottoms
    return Effect((_SCALAR, None, None)[: len(layer.tops) or 1])


@rule(RULES, "CTCLoss", "CtcLoss", "WarpCTC", "WarpCTCLoss", bottoms=(2, 4), automatic_top=True)
def sequence_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss of a sequence that is not aligned with its labels (forks for text)."""
    del layer, bottoms
    return Effect((_SCALAR,))


@rule(RULES, "TripletLoss", bottoms=(1, None), automatic_top=True)
def triplet_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss of what should be near and what should be far (forks for retrieval)."""
    del layer, bottoms
    return Effect((_SCALAR,))


@rule(RULES, "Accuracy", bottoms=(2, 2), tops=(1, 2))
def accuracy(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The share of right answers, and perhaps that of each class."""
    axis = _one_label_a_place(layer, bottoms, "accuracy_param")
    return Effect((_SCALAR, (bottoms[0][axis],))[: len(layer.tops)])


def _same_batch(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> None:
    values, labels = bottoms[:2]
    if values[:1] != labels[:1]:
        raise layer.wrong(
            f"{layer.bottoms[0]!r} is {shape_text(values)}, {layer.bottoms[1]!r} is "
            f"{shape_text(labels)}: the first axis must be the same"
        )


def _same_count(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> None:
    if count(bottoms[0]) != count(bottoms[1]):
        raise layer.wrong(
            f"{layer.bottoms[0]!r} is {shape_text(bottoms[0])}, {layer.bottoms[1]!r} is "
            f"{shape_text(bottoms[1])}: the two must have the same number of values"
        )


def _one_label_a_place(layer: LayerSpec, bottoms: tuple[Shape, ...], block: str) -> int:
    """The axis of the classes; there must be a label for each place beside it."""
    values, labels = bottoms[:2]
    axis = axis_of(layer, values, layer.fields.block(block).integer("axis", 1))
    places = count(values[:axis]) * count(values[axis + 1 :])
    if count(labels) != places:
        raise layer.wrong(f"{places} places, but {count(labels)} labels in {layer.bottoms[1]!r}")
    return axis
