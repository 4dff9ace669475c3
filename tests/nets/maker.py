"""Puts a net together whose blobs are known at every batch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from math import prod
from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st

from tests.nets.surfaces import Dim, Node, Surface, Times, Value, Word, size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")
Shape = tuple[Dim, ...]

V1_TYPES = {
    "Concat": "CONCAT",
    "Convolution": "CONVOLUTION",
    "Dropout": "DROPOUT",
    "DummyData": "DUMMY_DATA",
    "Eltwise": "ELTWISE",
    "Flatten": "FLATTEN",
    "InnerProduct": "INNER_PRODUCT",
    "Pooling": "POOLING",
    "ReLU": "RELU",
    "Slice": "SLICE",
    "Softmax": "SOFTMAX",
    "SoftmaxWithLoss": "SOFTMAX_LOSS",
}
_NAMES = ("{}", "{}", "{}", "conv 1/3x3 {}", "a#b{{{} dim: 12", "naïve {}", " {} ")


@dataclass(frozen=True, slots=True)
class Net:
    """A net at any batch that is a multiple of its units."""

    nodes: tuple[Node, ...]
    units: int
    """The batch is so many times its unit, so that a Slice can cut it."""
    inputs: tuple[str, ...]
    blobs: Mapping[str, Shape]
    """Every top of the net of phase TEST."""
    unsure_at_1: bool
    """Whether another 1 may be the batch or not, where the batch is 1."""

    def written(self, surface: Surface, unit: int) -> str:
        """The net's text, at a batch of so many units."""
        return surface.write(self.nodes, unit)

    def shapes(self, unit: int) -> dict[str, tuple[int, ...]]:
        """Every top at that batch."""
        return {
            name: tuple(size(dim, unit) for dim in shape) for name, shape in self.blobs.items()
        }


class Maker:
    """A net in the making; what it draws decides."""

    def __init__(self, draw: st.DrawFn, *, v1: bool, units: int) -> None:
        self.draw = draw
        self.v1 = v1
        self.batch = Times(units)
        self.nodes: list[Node] = []
        self.blobs: dict[str, Shape] = {}
        self.inputs: list[str] = []
        self.unread: set[str] = set()
        """Blobs that a layer may still change in place."""
        self.unsure_at_1 = False
        self._numbers = count(1)

    def net(self) -> Net:
        """What has been made, with or without a name."""
        name: Node = ("name", self.pick(("net", "", "{ dim: 10", "it #1")))
        nodes = self.pick(
            ((*self.nodes,), (name, *self.nodes), (*self.nodes, name)),
        )
        return Net(nodes, self.batch.units, tuple(self.inputs), dict(self.blobs), self.unsure_at_1)

    def declare(self, named: Sequence[tuple[str, Shape]]) -> None:
        """Note inputs."""
        self.blobs.update(named)
        names = [name for name, _ in named]
        self.inputs += names
        self.unread.update(names)

    def add(
        self, kind: str, bottoms: Sequence[str], tops: Mapping[str, Shape], **blocks: Value
    ) -> None:
        """Write a layer, and note what it makes."""
        self.write(kind, bottoms, list(tops), **blocks)
        self.blobs.update(tops)
        self.unread.update(tops)

    def write(
        self, kind: str, bottoms: Sequence[str], tops: Sequence[str], **blocks: Value
    ) -> None:
        """Write a layer, its fields in any order."""
        self.unread -= {blob for blob in bottoms if blob not in tops}
        name = self.pick(("", "layer/{}", "layer {}")).format(len(self.nodes))
        groups: list[tuple[Node, ...]] = [
            (("name", name),),
            (("type", Word(V1_TYPES[kind]) if self.v1 else kind),),
            tuple(("bottom", blob) for blob in bottoms),
            tuple(("top", blob) for blob in tops),
            *(((block, value),) for block, value in blocks.items()),
        ]
        if self.pick((False, False, True)):
            groups = self.draw(st.permutations(groups))
        fields = tuple(node for group in groups for node in group)
        self.nodes.append(("layers" if self.v1 else "layer", fields))

    def pick(self, options: Sequence[T]) -> T:
        """One of these."""
        return self.draw(st.sampled_from(options))

    def small(self) -> int:
        """A number of channels, of outputs."""
        return self.draw(st.integers(1, 4))

    def name(self, stem: str) -> str:
        """A name that is not taken, perhaps an odd one."""
        return self.pick(_NAMES).format(f"{stem}{next(self._numbers)}")


def dims(shape: Sequence[Dim], name: str = "dim") -> tuple[Node, ...]:
    """A shape as fields."""
    return tuple((name, dim) for dim in shape)


def shaped(shape: Sequence[Dim]) -> tuple[Node, ...]:
    """A block with a shape in it."""
    return (("shape", dims(shape)),)


def fixed(shape: Sequence[Dim]) -> int:
    """How many values there are in axes that do not hold the batch."""
    return prod(dim for dim in shape if isinstance(dim, int))


def times(dim: Dim, factor: int) -> Dim:
    """A multiple of a size."""
    return Times(dim.units * factor) if isinstance(dim, Times) else dim * factor
