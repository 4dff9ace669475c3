"""``jetbench results export``: everything that was measured, as one flat table; or an archive."""

from __future__ import annotations

import csv
import json
import os
import sys
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.common import RESULTS, BoardOption, DatabaseOption, OutputOption, ResultsOption
from jetbench.cli.wanted import ModelOption, RealOption, SinceOption, StatusOption, UntilOption
from jetbench.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from jetbench.domain.history import Wanted
    from jetbench.formats.flat import Row
    from jetbench.store.database.history import History


class ExportFormat(str, Enum):
    """Of the table."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    MARKDOWN = "markdown"


_MARKDOWN = (
    "sweep", "board", "model", "batch", "power_mode", "status", "processes", "forward_ms_median",
    "forward_ms_stdev", "gpu_mhz_max", "gpu_temp_c_max", "simulated",
)  # fmt: skip
_MARKDOWN_TRIALS = (
    "sweep", "board", "model", "batch", "power_mode", "repeat", "forward_ms", "backward_ms",
    "exit_status", "failure",
)  # fmt: skip


def export(
    sweeps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SWEEP]...",
            autocompletion=complete.sweeps,
            help="Only with --archive: which; default latest.",
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(metavar="FILE.tar.gz", help="Pack the folders of sweeps for a colleague."),
    ] = None,
    board: BoardOption = None,
    model: ModelOption = None,
    status: StatusOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    real: RealOption = None,
    trials: Annotated[
        bool, typer.Option("--trials", help="A row a trial instead of a row a case.")
    ] = False,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="Of the table.")
    ] = ExportFormat.CSV,
    output: OutputOption = None,
) -> None:
    """Write everything that was measured as one flat table, or pack sweeps for a colleague.

    The table has a row a case and sweep, or with --trials a row a process; its columns stand in
    docs/reference/results.md. It is written as it is read: a million trials need no more memory
    than a night. Parquet needs the extra: pip install 'jetbench[parquet]'.

    An archive holds everything of a sweep, journals and raw logs too; `jetbench results import`
    takes it, on any machine.

    \b
    Examples:
      jetbench results export -o all.csv
      jetbench results export --model resnet50 --since 2026-01-01 --format jsonl | jq .board
      jetbench results export --trials --format parquet -o trials.parquet
      jetbench results export latest nightly --archive for-you.tar.gz

    \b
    Exit codes:
      0 written     1 it could not be     2 no such sweep, or wrong usage     3 nothing fits
    """
    from jetbench.cli.output import check_output
    from jetbench.cli.sweeps import the_history
    from jetbench.formats.wanted import wanted_of

    if archive is not None:
        _pack(sweeps or ["latest"], archive, results)
        return
    if sweeps:
        raise UsageError(
            "a table is of all sweeps that fit, and none is named",
            hint="--since and --until choose; one sweep: jetbench results show SWEEP --format csv",
        )
    check_output(output)
    if form is ExportFormat.PARQUET and output is None:
        raise UsageError("a Parquet file needs a name", hint="-o FILE.parquet")
    wanted = wanted_of(board, model, since=since, until=until, statuses=status, real=real)
    with the_history(db, results) as history:
        count = _write(form, _rows(history, wanted, trials=trials), output, trials=trials)
    if not count:
        print("Nothing of that is in the history.", file=sys.stderr)
        raise typer.Exit(exit_codes.NOTHING)
    if output is not None:
        print(f"{count} rows", file=sys.stderr)


def _rows(history: History, wanted: Wanted, *, trials: bool) -> Iterator[Row]:
    from jetbench.formats.flat import record_row, trial_rows

    for sweep_id, record in history.records(wanted):
        if trials:
            yield from trial_rows(sweep_id, record)
        else:
            yield record_row(sweep_id, record)


def _write(form: ExportFormat, rows: Iterator[Row], output: Path | None, *, trials: bool) -> int:
    from jetbench.formats.flat import RECORD_COLUMNS, TRIAL_COLUMNS

    columns = TRIAL_COLUMNS if trials else RECORD_COLUMNS
    if form is ExportFormat.PARQUET and output is not None:
        from jetbench.store.parquet import write_parquet

        with _fresh(output) as file:
            return write_parquet(file, columns, rows)
    with _stream(output) as stream:
        match form:
            case ExportFormat.JSONL:
                return _jsonl(rows, stream)
            case ExportFormat.MARKDOWN:
                return _markdown(rows, _MARKDOWN_TRIALS if trials else _MARKDOWN, stream)
            case _:
                return _csv(rows, tuple(columns), stream)


def _csv(rows: Iterable[Row], columns: tuple[str, ...], stream: TextIO) -> int:
    from jetbench.report.table import inert

    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - it is returned
        cells = (row[name] for name in columns)
        writer.writerow([inert(cell) if isinstance(cell, str) else cell for cell in cells])
    return count


def _jsonl(rows: Iterable[Row], stream: TextIO) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - it is returned
        stream.write(json.dumps(row) + "\n")
    return count


def _markdown(rows: Iterable[Row], columns: tuple[str, ...], stream: TextIO) -> int:
    """Row by row: nobody has to wait for the widths of a million rows."""
    from jetbench.formats.words import printable

    stream.write(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n")
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - it is returned
        cells = (
            "" if row[name] is None
            else f"{row[name]:.6g}" if isinstance(row[name], float)
            else printable(str(row[name])).replace("|", "\\|")
            for name in columns
        )  # fmt: skip
        stream.write(f"| {' | '.join(cells)} |\n")
    return count


@contextmanager
def _stream(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that is there whole or not at all."""
    if output is None:
        yield sys.stdout
        return
    with _fresh(output) as file, file.open("w", encoding="utf-8", errors="replace") as stream:
        yield stream


@contextmanager
def _fresh(output: Path) -> Iterator[Path]:
    """A file beside `output`, which takes its place at the end.

    Raises:
        UsageError: It cannot be written.
    """
    target = output.resolve()
    if target.exists() and not target.is_file():
        # A pipe or a device.
        yield target
        return
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield fresh
        fresh.replace(target)
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        raise UsageError(message, hint="name another file with -o") from error
    finally:
        fresh.unlink(missing_ok=True)


def _pack(words: list[str], archive: Path, results: Path) -> None:
    from jetbench.cli.output import check_output
    from jetbench.store.archive import write_archive
    from jetbench.store.results import locate

    check_output(archive)
    folders = dict.fromkeys(locate(word, results).resolve() for word in words)
    count = write_archive(folders, archive)
    print(f"{len(folders)} sweeps, {count} files", file=sys.stderr)
