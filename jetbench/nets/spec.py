"""What a prototxt says of its layers, before any shape is known."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from jetbench.domain.errors import ModelError
from jetbench.formats.textproto import LINE_END

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jetbench.formats.textproto import Message, Scalar
    from jetbench.nets.net import Shape

T = TypeVar("T")
_UINT32_MAX = 2**32 - 1
_SHOWN = 40
"""How many characters of a wrong value a message repeats."""


@dataclass(frozen=True, slots=True)
class Places:
    """From an offset in a text to its line, for as many offsets as there are layers."""

    starts: tuple[int, ...]
    """Where each line begins, but for the first."""

    @classmethod
    def of(cls, text: str) -> Places:
        """The lines of a text; LF, CRLF and a lone CR end one."""
        return cls(tuple(found.end() for found in LINE_END.finditer(text)))

    def line(self, offset: int) -> int:
        """The line, from 1, in which a character stands."""
        return bisect_right(self.starts, offset) + 1

    def wrong(self, offset: int, message: str, hint: str | None = None) -> ModelError:
        """An error that blames the character at `offset`, by line and column."""
        line = self.line(offset)
        begin = self.starts[line - 2] if line > 1 else 0
        return ModelError(message, hint=hint, line=line, column=offset - begin + 1)


@dataclass(frozen=True, slots=True)
class Fields:
    """A block's fields, with the default that Caffe gives to one that is left out.

    Each reader raises `ModelError` with the line of a value that is not of its type.
    """

    message: Message | None
    """None for a block that is left out altogether."""
    places: Places

    def has(self, name: str) -> bool:
        """Whether the field stands there."""
        return self.message is not None and bool(self.message.all(name))

    def integer(self, name: str, default: int = 0) -> int:
        """A signed number, such as an axis."""
        return self._one(name, self._integer, default)

    def integers(self, name: str) -> tuple[int, ...]:
        """All values of a repeated signed number, such as the ``dim`` of a shape."""
        return self._many(name, self._integer)

    def natural(self, name: str, default: int = 0) -> int:
        """A number of protobuf's type uint32, such as a kernel's size."""
        return self._one(name, self._natural, default)

    def naturals(self, name: str) -> tuple[int, ...]:
        """All values of a repeated uint32."""
        return self._many(name, self._natural)

    def numbers(self, name: str) -> tuple[float, ...]:
        """All values of a repeated float."""
        return self._many(name, self._number)

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean."""
        return self._one(name, self._flag, default)

    def word(self, name: str, default: str) -> str:
        """A string, or the name of an enumeration's value."""
        return self._one(name, _word, default)

    def words(self, name: str) -> tuple[str, ...]:
        """All values of a repeated string."""
        return self._many(name, _word)

    def block(self, name: str) -> Fields:
        """A block inside; one with nothing but defaults where it is left out."""
        messages = self.messages(name)
        self._once(name, messages)
        return Fields(messages[0] if messages else None, self.places)

    def blocks(self, name: str) -> tuple[Fields, ...]:
        """All blocks of this name."""
        return tuple(Fields(message, self.places) for message in self.messages(name))

    def line(self) -> int | None:
        """Where the block begins."""
        return None if self.message is None else self.places.line(self.message.start)

    def scalars(self, name: str) -> tuple[Scalar, ...]:
        """The values of a field with their places, unread."""
        return () if self.message is None else self.message.scalars(name)

    def messages(self, name: str) -> tuple[Message, ...]:
        """The blocks of this name with their places, unread."""
        return () if self.message is None else self.message.messages(name)

    def wrong(self, message: str, hint: str | None = None) -> ModelError:
        """An error that blames the block."""
        start = 0 if self.message is None else self.message.start
        return self.places.wrong(start, message, hint)

    def _one(self, name: str, read: Callable[[Scalar], T], default: T) -> T:
        scalars = self.scalars(name)
        self._once(name, scalars)
        return read(scalars[0]) if scalars else default

    def _once(self, name: str, values: Sequence[Scalar | Message]) -> None:
        """Refuse what protobuf refuses: a field given twice that is not repeated."""
        if len(values) > 1:
            hint = "Caffe refuses that: keep the one you mean."
            raise self.places.wrong(values[1].start, f"{name} is given twice", hint)

    def _many(self, name: str, read: Callable[[Scalar], T]) -> tuple[T, ...]:
        return tuple(map(read, self.scalars(name)))

    def _integer(self, scalar: Scalar) -> int:
        return self._checked(scalar, scalar.as_int(), "a whole number")

    def _natural(self, scalar: Scalar) -> int:
        number = self._integer(scalar)
        in_range = number if 0 <= number <= _UINT32_MAX else None
        return self._checked(scalar, in_range, f"a number from 0 to {_UINT32_MAX}")

    def _number(self, scalar: Scalar) -> float:
        return self._checked(scalar, scalar.as_float(), "a number")

    def _flag(self, scalar: Scalar) -> bool:
        return self._checked(scalar, scalar.as_bool(), "true or false")

    def _checked(self, scalar: Scalar, value: T | None, what: str) -> T:
        if value is None:
            shown = scalar.text if len(scalar.text) <= _SHOWN else scalar.text[:_SHOWN] + "…"
            message = f"{shown} is not {what}"
            raise self.places.wrong(scalar.start, message, f"Write {what} there.")
        return value


NO_FIELDS = Fields(None, Places(()))
"""Of a layer that stands in no prototxt."""


def _word(scalar: Scalar) -> str:
    return scalar.as_str()


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """A layer as declared, old forms already brought up to date."""

    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    fields: Fields
    line: int | None
    """None for a layer that Caffe adds by itself."""
    inputs: tuple[Shape, ...] | None = None
    """For the Input layer that stands for old ``input:`` lines: one shape a top."""
    dims: tuple[tuple[Scalar, ...], ...] = ()
    """Of `inputs`: where the numbers stand."""
    shape_blocks: tuple[Message, ...] = ()
    """Of `inputs`: the ``input_shape`` blocks; none where there is ``input_dim``."""

    @property
    def kind(self) -> str:
        """The type in lower case without underscores, in which a fork's V1 and V2 names agree."""
        return self.type.replace("_", "").lower()

    def wrong(self, message: str, *, hint: str | None = None) -> ModelError:
        """An error that blames this layer."""
        message = f"layer {self.name!r}: {message}"
        if self.fields.message is None:
            return ModelError(message, hint=hint, line=self.line)
        return self.fields.wrong(message, hint)


@dataclass(frozen=True, slots=True)
class NetSpec:
    """A prototxt as declared: all layers, those of every phase."""

    name: str
    layers: tuple[LayerSpec, ...]
    stages: tuple[str, ...]
    """Stages that the file itself asks for."""
    fields: Fields
    """The whole file."""
