"""A piece of JSON that knows where it stands, so that an error can name the place."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

from jetbench.domain.errors import ResultError
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_SHOWN = 40
_HINT = "it was changed by hand or damaged; take it from where it was measured once more"


def parse_json(text: str, source: str) -> JsonNode:
    """A document as a node.

    Raises:
        ResultError: It is no JSON; the message names the line.
    """
    try:
        return JsonNode(json.loads(text, parse_constant=_no_number), source)
    except json.JSONDecodeError as error:
        message = f"{source}:{error.lineno}:{error.colno}: no JSON: {error.msg}"
        hint = "it ends too early" if not text[error.pos :].strip() else None
        raise ResultError(message, hint=hint and f"{hint}: was it written in full?") from None
    except (ValueError, RecursionError):
        # NaN, a number of thousands of digits, or lists in lists by the thousand.
        raise ResultError(f"{source}: no JSON that jetbench writes", hint=_HINT) from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


@dataclass(frozen=True, slots=True)
class JsonNode:
    """A value, and where it was found. Every method raises ResultError, naming the place."""

    value: object
    source: str
    """The file."""
    path: str = ""
    """Such as ``records[3].forward_ms``."""

    def wrong(self, what: str) -> ResultError:
        """The error for this place: `what` it should be."""
        if self.value is None:
            seen = "missing"
        else:
            seen = printable(json.dumps(self.value, ensure_ascii=False), _SHOWN)
        place = f"{self.source}: {printable(self.path)}" if self.path else self.source
        return ResultError(f"{place}: {seen}, which is not {what}", hint=_HINT)

    def __getitem__(self, key: str) -> JsonNode:
        """The value of a key of an object; null where there is none."""
        return JsonNode(self.object().get(key), self.source, self._below(key))

    def has(self, key: str) -> bool:
        """Whether an object has a key, be it null."""
        return key in self.object()

    def object(self) -> dict[str, object]:
        """An object's keys and values."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return self.value

    def entries(self) -> Iterator[tuple[str, JsonNode]]:
        """The keys of an object, each with its value; none for null."""
        if self.value is None:
            return
        for key, value in self.object().items():
            yield key, JsonNode(value, self.source, self._below(key))

    def items(self) -> Iterator[JsonNode]:
        """The values of a list; none for null."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for number, value in enumerate(self.value):
            yield JsonNode(value, self.source, f"{self.path}[{number}]")

    def maybe(self, read: Callable[[JsonNode], T]) -> T | None:
        """What `read` makes of it; None for null."""
        return None if self.value is None else read(self)

    def text(self) -> str:
        """A text."""
        if not isinstance(self.value, str):
            raise self.wrong("a text")
        return self.value

    def word(self, *known: str) -> str:
        """One of some words."""
        if self.value not in known:
            raise self.wrong("one of " + ", ".join(known))
        return self.text()

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def whole(self) -> int:
        """A whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.wrong("a whole number")
        return self.value

    def number(self) -> float:
        """A finite number."""
        if not isinstance(self.value, (int, float)) or isinstance(self.value, bool):
            raise self.wrong("a number")
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.wrong("a number that is finite")
        return number

    def _below(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key
