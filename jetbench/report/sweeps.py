"""Lists of sweeps: for people and for scripts."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, get_args

from tabulate import tabulate

from jetbench.domain.record import Status
from jetbench.formats.words import printable
from jetbench.report.table import WIDTH, inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.history import SweepLine

Json = dict[str, Any]

_NAME = 16
_ID = 40
_CASES = 20
_COLUMNS = (
    "sweep", "started_utc", "finished_utc", "jetbench", "simulated", "interrupted",
    "names", "boards", "models", *get_args(Status),
)  # fmt: skip


def sweeps_table(lines: Sequence[SweepLine], *, markdown: bool = False) -> str:
    """A line a sweep, in 80 columns; a few names are told, many are counted."""
    columns = {
        "Sweep": [_cell(line.id, _ID, markdown=markdown) for line in lines],
        "Boards": [_few(line.boards, markdown=markdown) for line in lines],
        "Models": [_few(line.models, markdown=markdown) for line in lines],
        "Cases": [_counts(line) for line in lines],
        "": [_notes(line, markdown=markdown) for line in lines],
    }
    if markdown:
        return tabulate(columns, headers="keys", tablefmt="github", disable_numparse=True) + "\n"
    others = sum(max(map(len, [name, *cells])) + 2 for name, cells in columns.items() if name)
    return (
        tabulate(
            columns,
            headers="keys",
            disable_numparse=True,
            maxcolwidths=[None, None, None, _CASES, max(WIDTH - others, 9)],
        )
        + "\n"
    )


def sweeps_csv(lines: Sequence[SweepLine]) -> str:
    """A row a sweep; boards, models and names are separated by blanks."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for line in lines:
        counts = (line.counts.get(status, 0) for status in get_args(Status))
        several = (inert(" ".join(each)) for each in (line.names, line.boards, line.models))
        writer.writerow(
            [inert(line.id), line.started_utc, line.finished_utc, inert(line.jetbench or ""),
             line.simulated, line.interrupted, *several, *counts]
        )  # fmt: skip
    return buffer.getvalue()


def line_to_json(line: SweepLine) -> Json:
    """A sweep of a list."""
    return {
        "id": line.id,
        "started_utc": line.started_utc,
        "finished_utc": line.finished_utc,
        "jetbench": line.jetbench,
        "simulated": line.simulated,
        "interrupted": line.interrupted,
        "names": list(line.names),
        "boards": list(line.boards),
        "models": list(line.models),
        "counts": {status: line.counts.get(status, 0) for status in get_args(Status)},
    }


def _few(names: Sequence[str], *, markdown: bool) -> str:
    shown = _cell(" ".join(names), _NAME, markdown=markdown)
    return str(len(names)) if shown.endswith("…") and len(names) > 1 else shown or "-"


def _counts(line: SweepLine) -> str:
    counts = [f"{line.counts[s]} {s}" for s in get_args(Status) if line.counts.get(s)]
    return ", ".join(counts) or "-"


def _notes(line: SweepLine, *, markdown: bool) -> str:
    notes = [_cell(name, _NAME, markdown=markdown) for name in line.names]
    notes += ["simulated"] if line.simulated else []
    notes += ["interrupted"] if line.interrupted else []
    return ", ".join(notes)


def _cell(text: str, width: int, *, markdown: bool) -> str:
    shown = printable(text, width)
    return shown.replace("|", "\\|") if markdown else shown
