"""Which layer feeds which, and the Split layers that Caffe adds where one feeds several.

Follows ``insert_splits.cpp`` and ``Net::AppendTop``, so that layers have the names and
the order in which ``caffe time`` lists them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from jetbench.nets.spec import NO_FIELDS, LayerSpec

_Source = tuple[int, int]
"""A top: the position of its layer, and its place among that layer's tops."""


def with_splits(layers: tuple[LayerSpec, ...]) -> tuple[LayerSpec, ...]:
    """The layers as real Caffe runs them.

    After a layer whose top goes to several layers comes a Split layer
    ``BLOB_LAYER_INDEX_split``, and each of those layers reads a blob of its own,
    ``BLOB_LAYER_INDEX_split_0``, ``_1``, ….

    Raises:
        ModelError: a bottom that no earlier layer makes; a top that two layers make; a
            layer that changes in place what another one reads too.
    """
    sources = _sources(layers)
    readers = Counter(source for of_layer in sources for source in of_layer)
    for index, layer in enumerate(layers):
        for place in range(len(layer.tops)):
            readers[index, place] += _has_loss_weight(layer, place)
    taken: Counter[_Source] = Counter()
    produced: set[str] = set()
    result: list[LayerSpec] = []
    for index, layer in enumerate(layers):
        bottoms = []
        for blob, source in zip(layer.bottoms, sources[index], strict=True):
            if readers[source] > 1:
                bottoms.append(f"{_split_name(layers, source, blob)}_{taken[source]}")
                taken[source] += 1
            else:
                bottoms.append(blob)
        _claim_tops(layer, bottoms, produced)
        result.append(replace(layer, bottoms=tuple(bottoms)))
        for place, blob in enumerate(layer.tops):
            source = (index, place)
            if readers[source] > 1:
                name = _split_name(layers, source, blob)
                tops = tuple(f"{name}_{number}" for number in range(readers[source]))
                taken[source] += _has_loss_weight(layer, place)
                produced.update(tops)
                result.append(LayerSpec(name, "Split", (blob,), tops, NO_FIELDS, line=None))
    return tuple(result)


def _sources(layers: tuple[LayerSpec, ...]) -> list[tuple[_Source, ...]]:
    """For each layer, the top behind each of its bottoms: the last one of that name."""
    last: dict[str, _Source] = {}
    sources = []
    for index, layer in enumerate(layers):
        for blob in layer.bottoms:
            if blob not in last:
                raise layer.wrong(f"no layer before it makes its bottom {blob!r}")
        sources.append(tuple(last[blob] for blob in layer.bottoms))
        last.update((blob, (index, place)) for place, blob in enumerate(layer.tops))
    return sources


def _split_name(layers: tuple[LayerSpec, ...], source: _Source, blob: str) -> str:
    index, place = source
    return f"{blob}_{layers[index].name}_{place}_split"


def _has_loss_weight(layer: LayerSpec, place: int) -> bool:
    """Whether the top is part of the loss, which counts as one reader more."""
    weights = layer.fields.numbers("loss_weight")
    return place < len(weights) and weights[place] != 0


def _claim_tops(layer: LayerSpec, bottoms: list[str], produced: set[str]) -> None:
    """Note the layer's tops as made; a name may come again only in place."""
    for place, blob in enumerate(layer.tops):
        in_place = place < len(bottoms) and bottoms[place] == blob
        if blob in produced and not in_place:
            if blob in layer.bottoms:
                raise layer.wrong(
                    f"it changes {blob!r} in place, which another layer reads as well",
                    hint="give its top a name of its own",
                )
            raise layer.wrong(f"an earlier layer already makes the top {blob!r}")
        produced.add(blob)
