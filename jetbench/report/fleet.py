"""Boards that differ from the others of their sweep, as lines below its table."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jetbench.domain.record import FleetOutlier

_MOST_TOLD = 5
_EVIDENCE_WIDTH = 400


def fleet_lines(outliers: Iterable[FleetOutlier], width: int) -> list[str]:
    """A sentence for each board, the farthest first."""
    told = [f"{printable(outlier.evidence, _EVIDENCE_WIDTH)}." for outlier in outliers]
    if left := len(told[_MOST_TOLD:]):
        told[_MOST_TOLD:] = [f"Not told here: {left} more boards that differ from the others."]
    return [
        line
        for sentence in told
        for line in textwrap.wrap(sentence, width, subsequent_indent="  ", break_on_hyphens=False)
    ]
