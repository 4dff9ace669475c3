"""One or several, as several."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

One = TypeVar("One", bound="int | str")


def several(given: One | Sequence[One]) -> tuple[One, ...]:
    """A word or a number, or some of them, as a tuple."""
    return (given,) if isinstance(given, int | str) else tuple(given)
