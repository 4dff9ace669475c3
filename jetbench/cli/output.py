"""Results to standard output or a file, in the format asked for."""

from __future__ import annotations

import json
import os
import shlex
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from jetbench.domain.errors import UsageError

if TYPE_CHECKING:
    from jetbench.domain.record import SweepResult


class ResultFormat(str, Enum):
    """How a result is shown."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


def command_line() -> tuple[str, ...]:
    """The command as it was typed. jetbench takes no secret in an argument."""
    return ("jetbench", *sys.argv[1:])


def show_result(
    result: SweepResult,
    form: ResultFormat,
    output: Path | None,
    folder: Path,
    *,
    quiet: bool,
) -> None:
    """Print a result, and where its evidence lies."""
    write_out(render(result, form), output)
    if not quiet:
        print(
            f"Kept in {folder}: journals, raw logs (boards/*/logs), result.json", file=sys.stderr
        )


def render(result: SweepResult, form: ResultFormat) -> str:
    """A result as text; ends with a line end."""
    from jetbench.formats.result import record_to_json, result_to_json
    from jetbench.report.table import result_csv, result_table

    match form:
        case ResultFormat.JSON:
            return json.dumps(result_to_json(result), indent=1) + "\n"
        case ResultFormat.JSONL:
            sweep = result.plan.sweep_id
            return "".join(
                json.dumps({"sweep": sweep, **record_to_json(record)}) + "\n"
                for record in result.records
            )
        case ResultFormat.CSV:
            return result_csv(result)
        case ResultFormat.MARKDOWN:
            return result_table(result, markdown=True) + "\n"
        case ResultFormat.TABLE:
            return result_table(result) + "\n"


def write_out(text: str, output: Path | None) -> None:
    """Write to standard output, or to a file, whole or not at all.

    Raises:
        UsageError: The file cannot be written.
    """
    if output is None:
        typer.echo(text, nl=False)
        return
    fresh = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(output)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        message = f"{output} cannot be written: {error.strerror}"
        raise UsageError(message, hint=f"the command was: {shlex.join(command_line())}") from error
