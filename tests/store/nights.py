"""Documents of sweeps, as the program writes them, for tests of what keeps them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jetbench.analysis.statistics import summarize
from jetbench.formats.result import result_to_json
from tests import make

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.record import Record


def sweep_id(day: int) -> str:
    """That of the night of a day in January."""
    return f"202601{day:02d}-030405-a1b2c3"


def document(day: int, records: Sequence[Record] | None = None, **sweep: object) -> str:
    """What the night of a day in January was kept as."""
    kept = [make.record()] if records is None else records
    boards = tuple(make.board_result(name) for name in dict.fromkeys(r.board for r in kept))
    made = result_to_json(make.result(*kept, boards=boards))
    made["sweep"] |= {
        "id": sweep_id(day),
        "started_utc": f"2026-01-{day:02d}T03:04:05Z",
        "finished_utc": f"2026-01-{day:02d}T03:14:05Z",
        **sweep,
    }
    return json.dumps(made)


def record(forward_ms: float = 7.2, **changes: object) -> Record:
    """A case that took that long, in three processes."""
    times = summarize([0.99 * forward_ms, forward_ms, 1.01 * forward_ms])
    return make.record(**{"forward_ms": times, **changes})
