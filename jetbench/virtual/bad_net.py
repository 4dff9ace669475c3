"""How Caffe ends over a net that it cannot build: where in its source, and in which words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from jetbench.nets.phases import layers_of
from jetbench.nets.read import read_net

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.errors import ModelError
    from jetbench.nets.phases import State
    from jetbench.nets.spec import LayerSpec

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SOURCES = {
    "Convolution": "base_conv",
    "Deconvolution": "base_conv",
    "PReLU": "prelu",
    "ReLU": "relu",
}
_CHECK_LINE = 30
"""Where most layers check their parameters; the true line says nothing to anyone."""


def last_words(text: str, state: State, error: ModelError) -> tuple[str, str]:
    """The place and the message of the line with which Caffe gives up.

    Caffe has a check of its own for each thing that can be wrong with a layer. Here the
    place is that layer's, and the words are those of `error`.

    Args:
        text: A prototxt that can be read.
        state: Which of its layers are in the net.
        error: Why the net cannot be built.
    """
    spec = read_net(text)
    state = replace(state, stages=(*spec.stages, *state.stages))
    layers = layers_of(spec, state)
    if not layers:
        return "net.cpp:520", "Check failed: end < layers_.size() (-1 vs. 0) "
    return _wiring(layers) or _layer(layers, error)


def _wiring(layers: Sequence[LayerSpec]) -> tuple[str, str] | None:
    """What is wrong with the blobs' names, which Caffe finds before it makes a layer."""
    made: set[str] = set()
    for layer in layers:
        for index, blob in enumerate(layer.bottoms):
            if blob not in made:
                where = f"(layer '{layer.name}', bottom index {index})"
                return "insert_splits.cpp:29", f"Unknown bottom blob '{blob}' {where}"
        made.update(layer.tops)
    made.clear()
    for layer in layers:
        for place, blob in enumerate(layer.tops):
            if blob in made and layer.bottoms[place : place + 1] != (blob,):
                return "net.cpp:375", f"Top blob '{blob}' produced by multiple sources."
            made.add(blob)
    return None


def _layer(layers: Sequence[LayerSpec], error: ModelError) -> tuple[str, str]:
    before = [layer for layer in layers if (layer.line or 0) <= (error.line or 0)]
    kind = (before or layers)[-1].type
    source = _SOURCES.get(kind) or _HUMP.sub("_", kind).lower()
    return f"{source}_layer.cpp:{_CHECK_LINE}", f"Check failed: {error.bare}"
