"""A net with every shape known that can be known, and what each layer costs.

Counts are for the whole batch, bytes for FP32. A number that cannot be known, because a
layer's type is not (a Python layer, say) or because it lies downstream of such a layer, is
None, and so is every sum that it would be part of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Shape = tuple[int, ...]
"""The axes of a blob, outermost first; empty for a scalar."""

FP32_BYTES = 4


def count(shape: Shape) -> int:
    """The number of values in a blob of this shape; 1 for a scalar."""
    return math.prod(shape)


def shape_text(shape: Shape | None) -> str:
    """A shape for people: ``1x3x224x224``, ``scalar``, or ``?`` where it is not known."""
    if shape is None:
        return "?"
    return "x".join(map(str, shape)) or "scalar"


def _total(numbers: Iterable[int | None]) -> int | None:
    """The sum, or None where one of the numbers is missing."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a net in the phase it was built for."""

    name: str
    """As the prototxt has it."""
    type: str
    """As a modern prototxt writes it, also where the file has an older form."""
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    """The blobs that come out of it."""
    bottom_shapes: tuple[Shape | None, ...]
    """One for each of `bottoms`; None where it is not known."""
    output_shapes: tuple[Shape | None, ...]
    """One for each of `tops`; None where it is not known."""
    params: int | None
    """Learned numbers, also those that it shares with an earlier layer."""
    shared_params: int
    """How many of `params` an earlier layer owns, or an earlier blob of this one."""
    statistics: int
    """Stored numbers that are not learned: means, variances and a factor of BatchNorm."""
    macs: int | None
    """Multiply-accumulates of convolutions and matrix products; 0 for any other layer."""
    fast_macs: int | None
    """What is left of `macs` where Winograd or FFT can be used."""
    activation_bytes: int | None
    """Every bottom read once and every top written once; 0 where no data moves."""
    line: int | None
    """Where the layer begins in the prototxt; None for one that Caffe adds by itself."""
    known: bool = True
    """Whether there is a rule for this type."""
    named_params: tuple[tuple[str, int], ...] = ()
    """Of `params`, the blobs with a name, by which layers share them: how many each has."""
    named_statistics: tuple[tuple[str, int], ...] = ()
    """The same of `statistics`."""
    shared_statistics: int = 0
    """How many of `statistics` an earlier layer owns."""

    @property
    def weight_bytes(self) -> int | None:
        """What this layer reads of parameters and statistics."""
        return None if self.params is None else FP32_BYTES * (self.params + self.statistics)


@dataclass(frozen=True, slots=True)
class Net:
    """The layers that a phase leaves of a prototxt, in Caffe's order."""

    name: str
    phase: str
    """The phase that it was built for."""
    layers: tuple[Layer, ...]
    """In Caffe's order."""

    @property
    def input_shapes(self) -> tuple[tuple[str, Shape], ...]:
        """Blobs that come out of layers without bottoms, where their shape is known."""
        return tuple(
            (top, shape)
            for layer in self.layers
            if not layer.bottoms
            for top, shape in zip(layer.tops, layer.output_shapes, strict=True)
            if shape is not None
        )

    @property
    def params(self) -> int | None:
        """Learned numbers, those shared between layers once."""
        own = (
            None if layer.params is None else layer.params - layer.shared_params
            for layer in self.layers
        )
        return _total(own)

    @property
    def statistics(self) -> int:
        """Stored numbers that are not learned, those shared between layers once."""
        return sum(layer.statistics - layer.shared_statistics for layer in self.layers)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one forward pass of the whole batch."""
        return _total(layer.macs for layer in self.layers)

    @property
    def weight_bytes(self) -> int | None:
        """Memory that parameters and statistics take."""
        params = self.params
        return None if params is None else FP32_BYTES * (params + self.statistics)

    @property
    def activation_bytes(self) -> int | None:
        """What all layers together read and write of blobs in one forward pass."""
        return _total(layer.activation_bytes for layer in self.layers)

    @property
    def unknown_layers(self) -> tuple[str, ...]:
        """Names of the layers for whose type there is no rule."""
        return tuple(layer.name for layer in self.layers if not layer.known)
