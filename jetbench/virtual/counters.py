"""What the kernel of a virtual board counts: the time of its cores, and what it swaps.

``proc/stat`` knows of the board's own ``caffe`` and of its neighbour, not of this machine's
other work. It is brought up to date by each ``caffe`` as it ends, with the time of the
processor that it really took, and where there is a neighbour also once a second by whoever
serves the board.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from jetbench.virtual.files import read_number
from jetbench.virtual.power_modes import CORES, CPUS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STAT = "/proc/stat"
VMSTAT = "/proc/vmstat"
FIRST_STAT = "cpu  41200 0 12400 3900000 900 0 310 0\ncpu0 0\n"
FIRST_VMSTAT = "nr_free_pages 1638400\npgpgin 412000\npgpgout 96000\npswpin 0\npswpout 0\n"

_HERTZ = 100
_NEIGHBOUR_CORES = 2
_SWAPPED_PAGES = {"pswpin": 2300, "pswpout": 5100}
_USER, _IDLE = 1, 4
"""Their places in the line."""


def pass_time(root: Path, *, own_s: float = 0.0, neighbour: bool) -> None:
    """Count what has passed since the last time.

    Args:
        root: The board.
        own_s: Processor time of the ``caffe`` that calls.
        neighbour: Another process keeps two cores busy.
    """
    with suppress(OSError, ValueError, IndexError), _opened(root, STAT) as file:
        fields = file.readline().split()
        elapsed_s = max(0.0, time.time() - os.fstat(file.fileno()).st_mtime)
        online = [core for core in CORES if read_number(root, f"{CPUS}/cpu{core}/online") != 0]
        cores = len(online)
        busy_s = own_s + elapsed_s * (min(_NEIGHBOUR_CORES, cores) if neighbour else 0)
        idle_s = max(0.0, elapsed_s * cores - busy_s)
        fields[_USER] = str(int(fields[_USER]) + round(busy_s * _HERTZ))
        fields[_IDLE] = str(int(fields[_IDLE]) + round(idle_s * _HERTZ))
        # Who reads the lines of the cores only counts them.
        lines = ["cpu  " + " ".join(fields[1:]), *(f"cpu{core} 0 0 0 0" for core in online)]
        file.seek(0)
        file.write("\n".join(lines) + "\n")
        file.truncate()


def swap(root: Path) -> None:
    """Count some megabytes that are swapped, out and in."""
    with suppress(OSError, ValueError), _opened(root, VMSTAT) as file:
        lines = []
        for line in file:
            name, pages = line.split()
            lines.append(f"{name} {int(pages) + _SWAPPED_PAGES.get(name, 0)}\n")
        file.seek(0)
        file.write("".join(lines))


@contextmanager
def _opened(root: Path, path: str) -> Iterator[TextIO]:
    """A file of counters, for one of us at a time.

    What grows can be written over itself, in one call: nobody reads half of it.
    """
    with (root / path.lstrip("/")).open("r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
