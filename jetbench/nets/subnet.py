"""The part of a net that computes one of its layers: what a backbone costs."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from jetbench.domain.errors import UsageError
from jetbench.formats.words import printable
from jetbench.nets.build import with_owners
from jetbench.nets.net import Net

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.nets.net import Layer

_NEAREST = 3


def up_to(net: Net, name: str) -> Net:
    """Only the layers that are needed to compute one of them, and that one itself.

    Layers that merely stand before it in the file are left out. A blob is what the last
    layer before its reader has made of it, in-place layers included; those that change the
    result of the named layer in place come after it, and are left out too.

    Args:
        net: The whole net, built with or without its Split layers.
        name: A layer, the last one where several are called so; or else a blob, which is
            computed when the last layer that writes it is done.

    Raises:
        UsageError: No layer and no blob is called so.
    """
    needed = {_position(net, name)}
    for index, sources in reversed([*enumerate(_sources(net.layers))]):
        if index in needed:
            needed |= sources
    return Net(net.name, net.phase, with_owners(net.layers[index] for index in sorted(needed)))


def _position(net: Net, name: str) -> int:
    """The index of the layer that is meant."""
    named = [index for index, layer in enumerate(net.layers) if layer.name == name]
    writers = [index for index, layer in enumerate(net.layers) if name in layer.tops]
    if named or writers:
        return (named or writers)[-1]
    names = dict.fromkeys(word for layer in net.layers for word in (layer.name, *layer.tops))
    near = difflib.get_close_matches(name, names, n=_NEAREST)
    hint = f"did you mean {' or '.join(map(printable, near))}?"
    if not near:
        hint = f"its last layer is {printable(net.layers[-1].name)}"
    message = f"the net has no layer and no blob called {name!r} in phase {net.phase}"
    raise UsageError(message, hint=hint)


def _sources(layers: Sequence[Layer]) -> list[set[int]]:
    """For each layer, those that made its bottoms what it reads."""
    writer: dict[str, int] = {}
    sources = []
    for index, layer in enumerate(layers):
        sources.append({writer[blob] for blob in layer.bottoms})
        writer.update(dict.fromkeys(layer.tops, index))
    return sources
