"""``key=value`` words, as the board's scripts write them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_SECONDS = re.compile(r"[0-9]{1,10}(\.[0-9]{1,6})?")
_WORD = re.compile(r"""(?<![A-Za-z0-9_])([A-Za-z0-9_]+)=(?:"([^"]*)"|(\S*))""")
"""What stands before a key says where one can begin: without it, a word of 64 kB that is none
would be tried from each of its letters on, and take half a minute."""


def pairs(text: str) -> dict[str, str]:
    """All ``key=value`` and ``key="value with blanks"`` of a line; the last of a key wins."""
    return {
        match[1]: match[2] if match[2] is not None else match[3] for match in _WORD.finditer(text)
    }


def whole(text: str | None) -> int | None:
    """A whole number of at most 18 ASCII digits; None for everything else.

    Python's own `int` takes other scripts' digits, and raises over thousands of them.
    """
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None


def seconds(text: str | None) -> float | None:
    """A time such as ``6372.44``; None for everything else."""
    return float(text) if text is not None and _SECONDS.fullmatch(text) else None


def unwrapped(encoded: str) -> str:
    """The text behind base64; nothing where it is damaged."""
    try:
        return base64.b64decode(encoded).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def printable(text: str, limit: int = 500) -> str:
    r"""Text from a board, safe for a terminal: control characters escaped, length bounded.

    C0 and C1 controls, DEL, line and paragraph separators, bidirectional overrides and
    unpaired surrogates become ``\xNN`` or ``\uNNNN``.
    """
    shown = escaped(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def escaped(text: str) -> str:
    """As `printable`, of any length."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in text
    )


def shapes_text(shapes: Iterable[tuple[str, Sequence[int]]]) -> str:
    """``data 1x3x224x224, im_info 1x3``, safe for a terminal."""
    return ", ".join(f"{printable(name)} {'x'.join(map(str, shape))}" for name, shape in shapes)
