"""A result's table on a terminal: what is doubtful and what is missing stands out by its colour.

The words say the same without it: ``?`` behind a time, ``failed``, ``lost``.
"""

from __future__ import annotations

import re

_DOUBT = "\x1b[33m"
_BAD = "\x1b[31m"
_FAINT = "\x1b[2m"
_PLAIN = "\x1b[0m"
_DOUBTFUL = re.compile(r" ms(?: ± [0-9.]+ %)? \?(?:  |$)|: suspect: ")
_MISSING = re.compile(r"  (?:failed|lost)  |: (?:failed|lost): |were NOT put back$")
_HINT = re.compile(r"  → ")


def shaded(text: str) -> str:
    """A table as `result_table` writes it, with colours for a terminal."""
    return "\n".join(_shaded(line) for line in text.split("\n"))


def _shaded(line: str) -> str:
    if _MISSING.search(line):
        colour = _BAD
    elif _DOUBTFUL.search(line):
        colour = _DOUBT
    elif _HINT.match(line):
        colour = _FAINT
    else:
        return line
    return f"{colour}{line}{_PLAIN}"
