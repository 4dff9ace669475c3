"""What a report is made of, from the words of a user."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.bench.gathering import gather
from jetbench.domain.errors import ResultError
from jetbench.formats.words import escaped
from jetbench.store.database.history import open_history
from jetbench.store.histories import the_history
from jetbench.store.names import read_names
from jetbench.store.opening import opened_node
from jetbench.store.results import locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jetbench.domain.history import Wanted
    from jetbench.domain.material import Material
    from jetbench.store.database.history import History


def material_of(  # noqa: PLR0913 - all but the first four by name
    sweeps: Sequence[str],
    wanted: Wanted,
    results: Path,
    db: str | None,
    *,
    logs: int = 0,
    published: Callable[[str], bool] = lambda _: False,
    say: Callable[[str], None] = lambda _: None,
) -> Material:
    """What a report of these sweeps is made of; of none: of the whole history.

    Args:
        sweeps: By id, day, name, ``latest``, folder or file.
        wanted: Which records of them.
        results: Where sweeps are kept.
        db: The history; None: the file beside the sweeps.
        logs: The raw logs of the newest so many sweeps go along.
        published: Whether the logs of a sweep are in the report already, by its id.
        say: Takes what is worth to be told, a line each.

    Raises:
        ResultError: There is no such sweep, or it cannot be read.
        StoreError: The history fails.
    """
    with _sources(sweeps, results, db, say) as (history, folders):
        return gather(
            history,
            wanted,
            folders,
            logs=logs,
            published=published,
            saw=lambda message: say(f"warning: left out: {escaped(message)}"),
        )


@contextmanager
def _sources(
    words: Sequence[str], results: Path, db: str | None, say: Callable[[str], None]
) -> Iterator[tuple[History, Callable[[str], Path | None]]]:
    """A history of what is meant, and where the folder of each of its sweeps is."""
    if not words:
        with the_history(db, results, say) as history:
            yield history, lambda sweep_id: _folder(results / sweep_id)
        return
    # A few sweeps, from wherever they come, in a history of their own.
    folders: dict[str, Path] = {}
    names = read_names(results)
    with (
        tempfile.TemporaryDirectory(prefix="jetbench-report-") as own,
        open_history(None, Path(own), create=True) as history,
    ):
        for word in words:
            node = opened_node(word, results, db)
            sweep_id = node["sweep"]["id"].text()
            with suppress(ResultError):
                folders[sweep_id] = locate(word, results)
            of_it = [name for name, named in names.items() if named == sweep_id]
            history.add(json.dumps(node.value), node.source, names=of_it)
        yield history, lambda sweep_id: _folder(folders.get(sweep_id))


def _folder(path: Path | None) -> Path | None:
    return path if path is not None and path.is_dir() else None
