"""The site into a folder: its pages, and the raw logs that they lead to."""

from __future__ import annotations

import base64
import gzip
import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.bench.sources import material_of
from jetbench.domain.errors import StoreError
from jetbench.report.site.links import logs_file, logs_folder
from jetbench.report.site.pages import site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from jetbench.domain.history import Wanted
    from jetbench.domain.material import KeptLog, Material
    from jetbench.store.site import SiteFolder

_LEVEL = 6


def make_site(  # noqa: PLR0913 - all but the first five by name
    folder: SiteFolder,
    sweeps: Sequence[str],
    wanted: Wanted,
    results: Path,
    db: str | None,
    *,
    logs: int,
    version: str,
    say: Callable[[str], None] = lambda _: None,
) -> bool:
    """Write the site of what is wanted, as far as there is any.

    Args:
        folder: Where it goes.
        sweeps: As of `material_of`, and so are the others.
        wanted: As of `material_of`.
        results: As of `material_of`.
        db: As of `material_of`.
        logs: As of `material_of`.
        version: Of this program.
        say: As of `material_of`.

    Returns:
        Whether there was anything; where not, nothing was written.

    Raises:
        ResultError: There is no such sweep, or it cannot be read.
        StoreError: The history fails, the folder cannot be written, or a log cannot be read.
    """
    material = material_of(
        sweeps,
        wanted,
        results,
        db,
        logs=logs,
        published=lambda sweep_id: folder.has_below(logs_folder(sweep_id)),
        say=say,
    )
    if material.told:
        write_site(material, folder, version)
    return bool(material.told)


def write_site(material: Material, folder: SiteFolder, version: str) -> None:
    """Write every page and every raw log; remove what is in the report no more.

    Args:
        material: What there is to show.
        folder: Where it goes.
        version: Of this program.

    Raises:
        StoreError: The folder cannot be written, or a log cannot be read.
    """
    for sweep_id, logs in material.logs.items():
        folder.keep_below(logs_folder(sweep_id))
        for board, of_board in groupby(logs, key=lambda log: log.board):
            _write_logs(logs_file(sweep_id, board), list(of_board), folder)
    for name, data in site(material, version):
        folder.write(name, data)
    folder.finish()


def _write_logs(name: str, logs: Sequence[KeptLog], folder: SiteFolder) -> None:
    files = {log.trial: Path(log.path) for log in logs if log.path is not None}
    if len(files) < len(logs):
        # Some are gone: what was taken along before has them still.
        return
    try:
        newest_s = max(file.stat().st_mtime for file in files.values())
        if not folder.is_newer(name, newest_s):
            folder.write(
                name, logs_script((trial, file.read_bytes()) for trial, file in files.items())
            )
    except OSError as error:
        raise StoreError(f"{error.filename}: cannot be read: {error.strerror}") from error


def logs_script(logs: Iterable[tuple[int, bytes]]) -> bytes:
    """Raw logs as a script: a page that was opened from a disk may run a file, and read none.

    Args:
        logs: The number of each trial, and its log as the board wrote it.
    """
    packed = {
        str(trial): base64.b64encode(gzip.compress(log, _LEVEL, mtime=0)).decode()
        for trial, log in logs
    }
    return f"jetbenchLogs({json.dumps(packed, indent=0)});\n".encode()
