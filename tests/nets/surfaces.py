"""One net in many forms: everything that the text format lets its author choose.

A net is a tree of fields whose numbers may be multiples of the batch. Its surface decides on
every blank, brace, comment and base, from a seed alone; so that one net with one surface, at
two batches, gives two texts that differ in the batch and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Times:
    """A number of the net that is so many times the unit of its batch."""

    units: int


@dataclass(frozen=True, slots=True)
class Word:
    """A value of an enumeration, or true or false."""

    text: str


Dim = int | Times
Value = int | str | Times | Word | tuple["Node", ...]
Node = tuple[str, Value]
"""A field: its name and what it holds; a string, where it holds text."""

_GAPS = (" ", " ", "  ", "\t", "\n", " # { dim: 10\n", "\n#\n", ' # caf\udce9 " } dim: 12\n')
_ON_ONE_LINE = (" ", " ", "\t", "  ", "\f", "\v")
_BASES = ("{}", "{}", "0x{:x}", "0X0{:x}", "0{:o}", "00{:o}")
_ESCAPES = ("{}", "\\x{:x}", "\\{:03o}")


def size(dim: Dim, unit: int) -> int:
    """The number itself, with a unit of the batch."""
    return dim.units * unit if isinstance(dim, Times) else dim


@dataclass(frozen=True, slots=True)
class Surface:
    """How a net is written; the seed 0 is the plain form."""

    seed: int

    def write(self, nodes: Sequence[Node], unit: int) -> str:
        """The text of a net, with a unit of the batch."""
        return (_Writer if self.seed else _Plain)(self.seed, unit).text(nodes)


class _Writer:
    """Every choice that there is, by chance."""

    def __init__(self, seed: int, unit: int) -> None:
        self._random = Random(seed)  # noqa: S311 - not for secrets
        self._unit = unit
        self._gaps = self._random.choice((_GAPS, _ON_ONE_LINE))
        self._line_end = self._random.choice(("\n", "\r\n"))

    def text(self, nodes: Sequence[Node]) -> str:
        written = "".join(self._fields(nodes)) + self._maybe()
        return written.replace("\n", self._line_end)

    def _fields(self, nodes: Sequence[Node]) -> Iterator[str]:
        for name, group in groupby(nodes, key=lambda node: node[0]):
            values = [value for _, value in group]
            yield self._gap()
            if self._chance() and len({isinstance(value, tuple) for value in values}) == 1:
                yield from self._list(name, values)
            else:
                for place, value in enumerate(values):
                    yield self._gap() if place else ""
                    yield from self._field(name, value)

    def _field(self, name: str, value: Value) -> Iterator[str]:
        yield name + self._maybe()
        if not isinstance(value, tuple) or self._chance():
            yield ":" + self._maybe()
        yield from self._value(value)
        yield self._separator()

    def _list(self, name: str, values: Sequence[Value]) -> Iterator[str]:
        yield f"{name}{self._maybe()}:{self._maybe()}["
        for place, value in enumerate(values):
            yield "," if place else ""
            yield self._maybe()
            yield from self._value(value)
            yield self._maybe()
        yield "]" + self._separator()

    def _value(self, value: Value) -> Iterator[str]:
        if isinstance(value, tuple):
            opener, closer = self._random.choice(("{}", "{}", "<>"))
            yield opener
            yield from self._fields(value)
            yield self._maybe() + closer
        elif isinstance(value, Word):
            yield value.text
        elif isinstance(value, str):
            yield self._string(value)
        else:
            yield self._number(value)

    def _number(self, value: Dim) -> str:
        number = size(value, self._unit)
        base = self._random.choice(_BASES)
        return base.format(number) if number > 0 else str(number)

    def _string(self, value: str) -> str:
        cut = self._random.randint(0, len(value)) if self._chance() else 0
        pieces = [value[:cut], value[cut:]] if cut else [value]
        return self._maybe().join(self._literal(piece) for piece in pieces)

    def _literal(self, value: str) -> str:
        quote = self._random.choice("'\"")
        escape = self._random.choice(_ESCAPES) if self._chance() else "{}"
        if escape == "{}":
            return quote + value + quote
        escaped = "".join(escape.format(byte) for byte in value.encode())
        return quote + escaped + quote

    def _separator(self) -> str:
        return self._random.choice(("", "", "", ";", ",", " ;"))

    def _gap(self) -> str:
        return self._random.choice(self._gaps)

    def _maybe(self) -> str:
        return self._gap() if self._chance() else ""

    def _chance(self) -> bool:
        return not self._random.randrange(4)


class _Plain(_Writer):
    """As most files are written, for examples that a person can read."""

    def text(self, nodes: Sequence[Node]) -> str:
        return "".join(f"{line}\n" for node in nodes for line in self._lines(node))

    def _lines(self, node: Node) -> Iterator[str]:
        name, value = node
        if isinstance(value, tuple):
            inside = " ".join(line for inner in value for line in self._lines(inner))
            yield f"{name} {{ {inside} }}"
        elif isinstance(value, str):
            yield f'{name}: "{value}"'
        else:
            yield f"{name}: {value.text if isinstance(value, Word) else size(value, self._unit)}"
