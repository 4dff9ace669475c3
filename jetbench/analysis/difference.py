"""Which layers carry a difference between two records of one case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jetbench.domain.record import LayerTime, Record

MOST = 3
"""How many are named."""
LEAST_SHARE = 0.25
"""Of the whole difference: less is not worth a name."""
MORE = 2.0
"""A layer is named where its part of the difference is so many times its part of the time: where
the clock fell every layer is slower alike, and none of them carries it."""


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """One layer's forward time in both records, mean over the processes."""

    name: str
    """As the net has it."""
    type: str | None
    """As the printed net has it."""
    a_ms: float
    """Its mean forward time in A."""
    b_ms: float
    """Its mean forward time in B."""
    share: float
    """Of the difference between the sums over all layers: 1 where it carries all of it."""


def layer_differences(a: Record, b: Record) -> tuple[LayerDifference, ...]:
    """Every layer that both have a forward time of, the largest difference first.

    Layers are matched by name and place among those of that name.
    """
    of_b = by_name(b.layers)
    found = [
        (layer, layer.forward_ms, other.forward_ms)
        for key, layer in by_name(a.layers).items()
        if (other := of_b.get(key)) is not None
    ]
    pairs = [(layer, a_ms, b_ms) for layer, a_ms, b_ms in found if a_ms is not None is not b_ms]
    whole_ms = sum(b_ms - a_ms for _, a_ms, b_ms in pairs)
    if not whole_ms:
        return ()
    differences = [
        LayerDifference(layer.name, layer.type, a_ms, b_ms, (b_ms - a_ms) / whole_ms)
        for layer, a_ms, b_ms in pairs
    ]
    return tuple(sorted(differences, key=lambda each: -abs(each.b_ms - each.a_ms)))


def carriers(a: Record, b: Record) -> tuple[LayerDifference, ...]:
    """The few layers that carry most of a difference; none where all changed alike.

    The times of layers are noisier than that of the whole: a layer is named only where it has a
    part of the difference that is much larger than its part of the time.
    """
    found = layer_differences(a, b)
    total_ms = sum(each.a_ms for each in found)
    if total_ms <= 0:
        return ()
    return tuple(
        each
        for each in found[:MOST]
        if each.share >= LEAST_SHARE and each.share > MORE * each.a_ms / total_ms
    )


def by_name(layers: Sequence[LayerTime]) -> Mapping[tuple[str, int], LayerTime]:
    """Each by its name and its place among those of that name, in their order."""
    counts: dict[str, int] = {}
    found = {}
    for layer in layers:
        place = counts.get(layer.name, 0)
        counts[layer.name] = place + 1
        found[layer.name, place] = layer
    return found
