"""LSTM and RNN: time-major blobs, ``T x N x …``; and the forks' ``Lstm``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, count, shape_text
from jetbench.nets.rules.base import Effect, Rules, not_known, rule, undecided

if TYPE_CHECKING:
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}
_LSTM_GATES = 4
_LEAST = 2
"""Time and batch are the first axes; values and where a sequence goes on the first bottoms."""
_CRNN_AXES = 3
STATES = {"LSTM": 2, "RNN": 1}
"""How many blobs of hidden state each hands on."""


@rule(RULES, "LSTM", "RNN", bottoms=(2, 5), tops=(1, 3))
def recurrent(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """``T x N x num_output``, and with ``expose_hidden`` the last states.

    With ``lstm_param`` it is one of the forks' layers of this name, which do not agree.
    """
    if layer.fields.has("lstm_param"):
        return undecided(layer)
    options = layer.fields.block("recurrent_param")
    hidden = options.natural("num_output")
    values, go_on = bottoms[:2]
    if hidden == 0:
        raise layer.wrong("it has no num_output")
    if len(values) < _LEAST or go_on != values[:2]:
        raise layer.wrong(
            f"{layer.bottoms[0]!r} is {shape_text(values)}, {layer.bottoms[1]!r} is "
            f"{shape_text(go_on)}: the second must be the first two axes, time and batch"
        )
    steps, batch = go_on
    states = STATES[layer.type] if options.flag("expose_hidden", default=False) else 0
    width = hidden * (_LSTM_GATES if layer.type == "LSTM" else 1)
    weights: tuple[Shape, ...] = ((width, count(values[2:])), (width,))
    macs = count(values) * width
    if len(bottoms) - states > _LEAST:
        if bottoms[2][:1] != (batch,):
            raise layer.wrong(f"{layer.bottoms[2]!r} is not one for each of {batch} sequences")
        weights += ((width, count(bottoms[2][1:])),)
        macs += count(bottoms[2]) * width
    weights += ((width, hidden),)
    macs += steps * batch * hidden * width
    if layer.type == "RNN":
        weights += ((hidden, hidden), (hidden,))
        macs += steps * batch * hidden * hidden
    tops = ((steps, batch, hidden), *((1, batch, hidden),) * states)
    if len(layer.tops) != len(tops):
        raise layer.wrong(f"it makes {len(tops)} tops, here are {len(layer.tops)}")
    return Effect(tops, weights, macs=macs)


@rule(RULES, "Lstm", bottoms=(1, 2))
def plain_lstm(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """A row of ``num_output`` for each step of each sequence (caffe-lstm, and CRNN from it).

    Steps and batch are one axis, or in CRNN two, then without a ``batch_size``; MACs are
    counted.
    """
    options = layer.fields.block("lstm_param")
    hidden, values = options.natural("num_output"), bottoms[0]
    if hidden == 0 or not values:
        return undecided(layer)
    steps, inputs = values[:1], values[1:]
    if len(values) == _CRNN_AXES:
        if options.has("batch_size"):
            return undecided(layer)
        steps, inputs = values[:2], values[2:]
    width = _LSTM_GATES * hidden
    return Effect(
        tops=((*steps, hidden),),
        weights=((width, count(inputs)), (width, hidden), (width,)),
        macs=count(steps) * width * (count(inputs) + hidden),
    )


@rule(RULES, "ContinuationIndicator", bottoms=(0, 1))
def continuation_indicator(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Where a sequence goes on, ``T x N`` (forks for text)."""
    del bottoms
    options = layer.fields.block("continuation_indicator_param")
    size = (options.natural("time_step"), options.natural("batch_size"))
    return not_known(layer) if 0 in size else Effect((size,), moves_data=False)
