"""``jetbench parse``: the values of any ``caffe time`` log."""

from __future__ import annotations

import errno
import os
import sys
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.timing import ParsedLog

_NUMBERS = ("forward_ms", "backward_ms", "forward_backward_ms", "total_ms", "iterations", "batch")
_HEADERS = ("Forward", "Backward", "Batch", "Phase", "Failure")
_SCREEN = 80
_LEAST_NAME = 12


class LogFormat(str, Enum):
    """How logs are shown."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


def parse(
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG...", help="Logs of caffe time; - for standard input.", show_default=False
        ),
    ],
    form: Annotated[
        LogFormat, typer.Option("--format", help="For a person, a script or a document.")
    ] = LogFormat.TABLE,
) -> None:
    """Read logs of caffe time: times in all and for each layer, batch, phase.

    Logs of BVLC's Caffe, of its forks and of its forerunner, whole or in part, quoted,
    wrapped, or several runs in one file, of which the last finished one counts. The exit
    code is 1 where a log holds no finished measurement; the reason is given.

    \b
    Examples:
      jetbench parse time.log
      ssh tx2 'cat time.log' | jetbench parse - --format json
      jetbench parse logs/*.log --format csv
    """
    from jetbench.domain.errors import UsageError
    from jetbench.formats.words import printable

    parsed: list[tuple[str, ParsedLog]] = []
    problems: list[str] = []
    for name in logs:
        try:
            log, runs = _parsed(name)
        except OSError as error:
            problems.append(f"{printable(name)} cannot be read: {error.strerror or error}")
            continue
        parsed.append((name, log))
        if runs > 1:
            note = f"note: {printable(name)} holds {runs} runs; the last finished one counts"
            typer.echo(note, err=True)
    if problems and not parsed:
        raise UsageError("; ".join(problems))
    for problem in problems:
        typer.echo(f"error: {problem}", err=True)
    typer.echo(_rendered(parsed, form), nl=False)
    for name, log in parsed:
        if log.failure is not None and form in {LogFormat.TABLE, LogFormat.MARKDOWN}:
            message = f"{printable(name)}: {log.failure.kind}: {log.failure.message}"
            typer.echo(message, err=True)
    if problems or not all(log.complete for _, log in parsed):
        raise typer.Exit(1)


def _parsed(name: str) -> tuple[ParsedLog, int]:
    from jetbench.formats.caffe_log import parse_blocks
    from jetbench.formats.caffe_log_scan import BLOCK_BYTES

    if name == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return parse_blocks(iter(lambda: sys.stdin.buffer.read(BLOCK_BYTES), b""))
    with open(name, "rb") as file:  # noqa: PTH123 - a Path would turn "./-" into "-"
        return parse_blocks(iter(lambda: file.read(BLOCK_BYTES), b""))


def _rendered(parsed: Sequence[tuple[str, ParsedLog]], form: LogFormat) -> str:
    import json

    match form:
        case LogFormat.JSON:
            return json.dumps([_as_json(name, log) for name, log in parsed], indent=2) + "\n"
        case LogFormat.JSONL:
            return "".join(json.dumps(_as_json(name, log)) + "\n" for name, log in parsed)
        case LogFormat.CSV:
            return _as_csv(parsed)
        case LogFormat.TABLE | LogFormat.MARKDOWN:
            return _as_table(parsed, markdown=form is LogFormat.MARKDOWN)


def _as_json(name: str, log: ParsedLog) -> dict[str, object]:
    failure = log.failure
    return {
        "file": name,
        "forward_ms": log.forward_ms,
        "backward_ms": log.backward_ms,
        "forward_backward_ms": log.forward_backward_ms,
        "total_ms": log.total_ms,
        "iterations": log.iterations,
        "batch": log.batch,
        "input_shapes": {blob: list(shape) for blob, shape in log.input_shapes},
        "phase": log.phase,
        "fork": log.fork,
        "statistic": log.statistic,
        "layers": [
            {
                "name": layer.name,
                "type": layer.type,
                "forward_ms": layer.forward_ms,
                "backward_ms": layer.backward_ms,
            }
            for layer in log.layers
        ],
        "complete": log.complete,
        "failure": None if failure is None else {"kind": failure.kind, "message": failure.message},
    }


def _as_csv(parsed: Sequence[tuple[str, ParsedLog]]) -> str:
    import csv
    import io

    from jetbench.formats.words import printable

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", *_NUMBERS, "phase", "fork", "complete", "failure", "message"])
    for name, log in parsed:
        failure = (log.failure.kind, log.failure.message) if log.failure else ("", "")
        numbers = (getattr(log, number) for number in _NUMBERS)
        complete = "true" if log.complete else "false"
        writer.writerow([printable(name), *numbers, log.phase, log.fork, complete, *failure])
    return out.getvalue()


def _as_table(parsed: Sequence[tuple[str, ParsedLog]], *, markdown: bool) -> str:
    from tabulate import tabulate

    values = [
        (
            _ms(log.forward_ms),
            _ms(log.backward_ms),
            "-" if log.batch is None else str(log.batch),
            log.phase or "-",
            log.failure.kind if log.failure else "",
        )
        for _, log in parsed
    ]
    # tabulate gives each column two blanks more than its header at least, and two between.
    columns = zip(_HEADERS, *values, strict=True)
    rest = sum(max(len(head) + 2, *map(len, cells)) + 2 for head, *cells in columns)
    width = None if markdown else max(_LEAST_NAME, _SCREEN - rest)
    rows = [(_name(name, width), *cells) for (name, _), cells in zip(parsed, values, strict=True)]
    table = tabulate(
        rows,
        headers=("Log", *_HEADERS),
        tablefmt="github" if markdown else "simple",
        colalign=("left", "right", "right", "right", "left", "left"),
        disable_numparse=True,
    )
    return "\n".join(line.rstrip() for line in table.splitlines()) + "\n"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g} ms"


def _name(name: str, width: int | None) -> str:
    """A file's name for a column; the end of a path tells more than its beginning."""
    from jetbench.formats.words import printable

    shown = printable(name)
    if width is None:
        return shown.replace("|", "\\|")
    return shown if len(shown) <= width else "…" + shown[1 - width :]
