"""Layers whose top has the shape of their bottom, and nothing to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, shape_text
from jetbench.nets.rules.base import Effect, Rules, axis_of, image_axes, rule

if TYPE_CHECKING:
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}


@rule(
    RULES,
    "AbsVal",
    "BNLL",
    "Clip",
    "Dropout",
    "ELU",
    "Exp",
    "HSigmoid",
    "HSwish",
    "HardSigmoid",
    "HardSwish",
    "Insanity",
    "Log",
    "Mish",
    "Power",
    "ReLU",
    "ReLU6",
    "Reverse",
    "ReverseAxis",
    "SELU",
    "Sigmoid",
    "Softplus",
    "Swish",
    "TanH",
    "Threshold",
)
def same_shape(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """One value in, one value out; also the activations of mobile and other forks."""
    del layer
    return Effect(bottoms)


@rule(RULES, "MVN")
def mean_and_variance(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same values; Caffe gives the top four axes, whatever the bottom has."""
    return Effect((image_axes(layer, bottoms[0]),))


@rule(RULES, "LRN")
def lrn(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; an odd number of neighbours."""
    if layer.fields.block("lrn_param").natural("local_size", 5) % 2 == 0:
        raise layer.wrong("its local_size must be odd")
    return Effect(bottoms)


@rule(RULES, "Softmax")
def softmax(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; the values along one axis add up to 1."""
    axis_of(layer, bottoms[0], layer.fields.block("softmax_param").integer("axis", 1))
    return Effect(bottoms)


@rule(RULES, "Eltwise", bottoms=(1, None))
def eltwise(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Sum, product or maximum of blobs of one shape."""
    for name, shape in zip(layer.bottoms, bottoms, strict=True):
        if shape != bottoms[0]:
            raise layer.wrong(
                f"its bottoms differ in shape: {layer.bottoms[0]!r} is "
                f"{shape_text(bottoms[0])}, {name!r} is {shape_text(shape)}"
            )
    coefficients = len(layer.fields.block("eltwise_param").numbers("coeff"))
    if coefficients not in {0, len(bottoms)}:
        raise layer.wrong(f"{coefficients} coeff for {len(bottoms)} bottoms")
    return Effect(bottoms[:1])
