"""Layers whose weights are matrices or vectors: InnerProduct, Embed, Scale, Bias, PReLU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, count, shape_text
from jetbench.nets.rules.base import Effect, Rules, axis_of, rule

if TYPE_CHECKING:
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}


@rule(RULES, "InnerProduct")
def inner_product(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """All axes from ``axis`` on become ``num_output`` values."""
    (bottom,) = bottoms
    options = layer.fields.block("inner_product_param")
    axis = axis_of(layer, bottom, options.integer("axis", 1))
    inputs, outputs = count(bottom[axis:]), options.natural("num_output")
    if outputs == 0:
        raise layer.wrong("it has no num_output")
    transposed = options.flag("transpose", default=False)
    weights: tuple[Shape, ...] = ((inputs, outputs) if transposed else (outputs, inputs),)
    if options.flag("bias_term", default=True):
        weights += ((outputs,),)
    return Effect(
        tops=((*bottom[:axis], outputs),),
        weights=weights,
        macs=count(bottom) * outputs,
    )


@rule(RULES, "Embed")
def embed(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Each number becomes a row of ``num_output`` values, looked up in a table."""
    options = layer.fields.block("embed_param")
    outputs, words = options.natural("num_output"), options.natural("input_dim")
    if outputs == 0 or words == 0:
        raise layer.wrong("it needs num_output and input_dim")
    weights: tuple[Shape, ...] = ((words, outputs),)
    if options.flag("bias_term", default=True):
        weights += ((outputs,),)
    return Effect(tops=((*bottoms[0], outputs),), weights=weights)


@rule(RULES, "Scale", bottoms=(1, 2))
def scale(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; a factor, and perhaps a bias, for each place on some axes."""
    factors = _broadcast(layer, "scale_param", bottoms)
    weights: tuple[Shape, ...] = (factors,) if len(bottoms) == 1 else ()
    if layer.fields.block("scale_param").flag("bias_term", default=False):
        weights += (factors,)
    return Effect(tops=bottoms[:1], weights=weights)


@rule(RULES, "Bias", bottoms=(1, 2))
def bias(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; a bias for each place on some axes."""
    terms = _broadcast(layer, "bias_param", bottoms)
    return Effect(tops=bottoms[:1], weights=(terms,) if len(bottoms) == 1 else ())


@rule(RULES, "PReLU")
def prelu(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; a slope for each channel, or one for all."""
    (bottom,) = bottoms
    shared = layer.fields.block("prelu_param").flag("channel_shared", default=False)
    channels = bottom[axis_of(layer, bottom, 1)]
    return Effect(tops=bottoms, weights=(() if shared else (channels,),))


def _broadcast(layer: LayerSpec, block: str, bottoms: tuple[Shape, ...]) -> Shape:
    """The shape that a Scale or Bias lays over its bottom: learned, or its second bottom's."""
    options = layer.fields.block(block)
    bottom = bottoms[0]
    axis = options.integer("axis", 1)
    if len(bottoms) > 1:
        start = axis_of(layer, bottom, axis) if bottoms[1] else 0
        if bottom[start : start + len(bottoms[1])] != bottoms[1]:
            raise layer.wrong(
                f"its second bottom, {shape_text(bottoms[1])}, does not fit axis {axis} of "
                f"{shape_text(bottom)}"
            )
        return bottoms[1]
    axes = options.integer("num_axes", 1)
    start = axis_of(layer, bottom, axis) if axes else 0
    end = len(bottom) if axes < 0 else start + axes
    if end > len(bottom):
        raise layer.wrong(f"{axes} axes from {start} on are more than {shape_text(bottom)} has")
    return bottom[start:end]
