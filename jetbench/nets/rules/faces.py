"""Layers of face recognition: SphereFace, AM-Softmax, center loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, count
from jetbench.nets.rules.base import Effect, Rules, axis_of, rule, undecided

if TYPE_CHECKING:
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}
_MARGIN_BLOCKS = {
    "MarginInnerProduct": "margin_inner_product_param",
    "LargeMarginInnerProduct": "largemargin_inner_product_param",
}


@rule(RULES, *_MARGIN_BLOCKS, bottoms=(1, 2), tops=(1, 2))
def margin_inner_product(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """An inner product with angular margins (SphereFace, L-Softmax); MACs are counted.

    Its second top is the weight of the plain product, one number.
    """
    block = _MARGIN_BLOCKS[layer.type]
    if not layer.fields.has(block):
        return undecided(layer)
    options = layer.fields.block(block)
    bottom = bottoms[0]
    axis = axis_of(layer, bottom, options.integer("axis", 1))
    outputs = options.natural("num_output")
    if outputs == 0:
        raise layer.wrong("it has no num_output")
    return Effect(
        tops=((*bottom[:axis], outputs), (1,))[: len(layer.tops)],
        weights=((outputs, count(bottom[axis:])),),
        macs=count(bottom) * outputs,
    )


@rule(RULES, "CenterLoss", bottoms=(2, 2), automatic_top=True)
def center_loss(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The loss of features against a learned centre for each class."""
    options = layer.fields.block("center_loss_param")
    if not options.has("num_output"):
        return undecided(layer)
    axis = axis_of(layer, bottoms[0], options.integer("axis", 1))
    return Effect(((),), weights=((options.natural("num_output"), count(bottoms[0][axis:])),))


@rule(RULES, "LabelSpecificAdd", bottoms=(2, 2), tops=(1, 2))
def label_specific_add(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape, a margin added to the right class (AM-Softmax), and that margin."""
    return Effect((bottoms[0], (1,))[: len(layer.tops)])


@rule(RULES, "InnerDistance", bottoms=(1, 2))
def inner_distance(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The distance to each of ``num_output`` points, or to the second bottom's (caffe-windows).

    Differences are squared and added up, which counts as MACs. Whether it stores a bias
    differs between its versions.
    """
    options = layer.fields.block("inner_distance_param")
    bottom = bottoms[0]
    axis = axis_of(layer, bottom, options.integer("axis", 1))
    points = options.natural("num_output") if len(bottoms) == 1 else bottoms[1][0]
    return Effect(
        tops=((*bottom[:axis], points),), macs=count(bottom) * points, weights_known=False
    )
