"""Edits of a text that change the characters they mean, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.formats.textproto import LINE_END

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jetbench.formats.textproto import Scalar


@dataclass(frozen=True, slots=True)
class Edit:
    """One line that changes; lines from 1, their text without the line ends."""

    line: int
    old_line: str
    new_line: str


@dataclass(frozen=True, slots=True, order=True)
class Replacement:
    """Characters of a text that give way to others."""

    start: int
    end: int
    new: str


def rewritten(number: Scalar, value: int) -> Replacement:
    """Another value in the number's own base and with its leading zeros.

    Done twice, the second time back to the first value, it gives the same characters; but
    for a hexadecimal number with capitals in it, which a number without letters forgets.
    """
    old = number.text
    if old[:2] in {"0x", "0X"}:
        digits, new = old[2:], f"{value:x}"
        if any("A" <= character <= "F" for character in digits):
            new = new.upper()
        prefix = old[:2]
    elif len(old) > 1 and old.startswith("0"):
        prefix, digits, new = "0", old[1:], f"{value:o}"
    else:
        return Replacement(number.start, number.end, str(value))
    zeros = "0" * (len(digits) - len(digits.lstrip("0") or "0"))
    return Replacement(number.start, number.end, f"{prefix}{zeros}{new}")


def replaced(text: str, replacements: Iterable[Replacement]) -> str:
    """The text after replacements that do not touch each other."""
    pieces, done = [], 0
    for one in sorted(set(replacements)):
        pieces += [text[done : one.start], one.new]
        done = one.end
    return "".join([*pieces, text[done:]])


def changed_lines(old: str, new: str) -> tuple[Edit, ...]:
    """The lines that differ; both texts must have as many."""
    pairs = zip(LINE_END.split(old), LINE_END.split(new), strict=True)
    return tuple(Edit(i, a, b) for i, (a, b) in enumerate(pairs, start=1) if a != b)
