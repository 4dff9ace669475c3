"""One or several, as several."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def words(one_or_several: str | Sequence[str]) -> tuple[str, ...]:
    """A word, or some of them, as a tuple."""
    return (one_or_several,) if isinstance(one_or_several, str) else tuple(one_or_several)
