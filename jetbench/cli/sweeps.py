"""The history, with what is worth to be told of it on standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.store.database.history import History


@contextmanager
def the_history(db: str | None, results: Path) -> Iterator[History]:
    """As `jetbench.store.histories.the_history`."""
    from jetbench.store import histories

    with histories.the_history(db, results, say) as history:
        yield history


def say(line: str) -> None:
    """Tell a line that is no result."""
    print(line, file=sys.stderr)
