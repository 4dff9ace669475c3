"""Texts cut to so many columns of a terminal: some letters are two wide, others none."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

__all__ = ["cell_len", "cut", "cut_middle", "padded"]

_ELLIPSIS = "…"


def cut(text: str, width: int) -> str:
    """The beginning of a text that is too wide."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + _ELLIPSIS if width > 0 else ""


def cut_middle(text: str, width: int) -> str:
    """Beginning and end of a text that is too wide: what is numbered differs at its end."""
    if cell_len(text) <= width:
        return text
    tail = ""
    for letter in reversed(text):
        if cell_len(letter + tail) > width // 2:
            break
        tail = letter + tail
    head = cut(text, width - cell_len(tail))
    return head + tail if head else cut(text, width)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """As wide as that, with blanks behind it, or before it; what is wider stays so."""
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks
