"""The clock of a virtual board: that of this machine, unless somebody has set it.

How far it is off stands in a file of the board, which its ``caffe`` and its ``date`` read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.virtual.files import read_number, write

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.virtual.faults import Faults

OFFSET = "run/clock-offset"
"""Seconds; there is none where the clock is right."""
_DAY_S = 86_400
JUMP_S = (3 * 365 + 40) * _DAY_S
"""Some years, and some days beside: the stamps of a log tell no year."""


class Clock:
    """The board's clock during one run of ``caffe``."""

    def __init__(self, root: Path, faults: Faults, number: int) -> None:
        """`number` is that of the run, from 1."""
        self._root = root
        self.offset_s = read_number(root, OFFSET) or 0
        self.jump_s = 0
        """By how much it is set in the middle of this run."""
        if number == faults.clock_jumps_at:
            self.jump_s += JUMP_S
        if number == faults.clock_falls_at:
            self.jump_s -= JUMP_S

    def jump(self) -> None:
        """Be set, if this is the run."""
        if self.jump_s:
            self.offset_s += self.jump_s
            write(self._root, OFFSET, self.offset_s)
