"""Results to standard output or a file, in the format asked for."""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from jetbench.domain.errors import UsageError
from jetbench.formats.words import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jetbench.domain.gate import Gate
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import SweepResult


class ResultFormat(str, Enum):
    """How a result is shown."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    JUNIT = "junit"


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
    gate: Gate | None = None,
) -> None:
    """Print a result, what the gate says of it, and where its evidence lies."""
    try:
        write_result(render(result, form, gate), form, output)
    finally:
        if gate is not None and form not in {ResultFormat.TABLE, ResultFormat.MARKDOWN}:
            from jetbench.report.gate import gate_text

            print(gate_text(gate), end="", file=sys.stderr)
        if not quiet:
            print(
                f"Kept in {escaped(str(folder))}: journals, logs, result.json",
                file=sys.stderr,
            )


def render(result: SweepResult, form: ResultFormat, gate: Gate | None = None) -> str:
    """A result as text, and what the gate says of it; ends with a line end."""
    from jetbench.domain.kept import as_kept
    from jetbench.formats.result import result_to_json

    documents = form in {ResultFormat.JSON, ResultFormat.JSONL}
    return render_kept(as_kept(result), result_to_json(result) if documents else {}, form, gate)


def render_kept(
    kept: KeptSweep, document: Mapping[str, Any], form: ResultFormat, gate: Gate | None
) -> str:
    """A sweep as text, whether it was just measured or is read back; ends with a line end.

    Args:
        kept: The sweep, as values.
        document: The same as the JSON that was kept; of use for the formats that are JSON only.
        form: In which format.
        gate: What the gate says of it.
    """
    import json

    from jetbench.formats.gate import gate_to_json
    from jetbench.report.junit import junit_xml
    from jetbench.report.table import result_csv, result_table

    match form:
        case ResultFormat.JSON:
            judged = {} if gate is None else {"gate": gate_to_json(gate)}
            return json.dumps({**document, **judged}, indent=1) + "\n"
        case ResultFormat.JSONL:
            return "".join(
                json.dumps({"sweep": kept.id, **record}) + "\n" for record in document["records"]
            )
        case ResultFormat.CSV:
            return result_csv(kept)
        case ResultFormat.JUNIT:
            return junit_xml(kept, gate)
        case ResultFormat.MARKDOWN:
            return result_table(kept, markdown=True) + "\n" + _judged(gate)
        case _:
            return result_table(kept) + "\n" + _judged(gate)


def _judged(gate: Gate | None) -> str:
    from jetbench.report.gate import gate_text

    return "" if gate is None else "\n" + gate_text(gate)


def check_output(output: Path | None) -> None:
    """Find out before anything is measured whether a file can be written.

    Raises:
        UsageError: It cannot.
    """
    if output is None:
        return
    # Not pathlib's, which raises over a name that no disk can hold.
    if os.path.isdir(output):  # noqa: PTH112
        message = f"{output} cannot be written: it is a folder"
        raise UsageError(message, hint="name a file with -o")
    try:
        there = output.exists()
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        raise UsageError(message, hint="name another file with -o") from error
    if not there and not os.access(output.parent, os.W_OK | os.X_OK):
        message = f"{output} cannot be written: {output.parent} is no folder to write to"
        raise UsageError(message, hint="make that folder, or name another file with -o")


def write_result(text: str, form: ResultFormat, output: Path | None) -> None:
    """As `write_out`; a table on a terminal has colours, but for ``NO_COLOR``."""
    if (
        form is ResultFormat.TABLE
        and output is None
        and sys.stdout.isatty()
        and "NO_COLOR" not in os.environ
    ):
        from jetbench.report.shades import shaded

        text = shaded(text)
    write_out(text, output)


def write_out(text: str, output: Path | None) -> None:
    """Write to standard output, or to a file, whole or not at all.

    Raises:
        UsageError: The file cannot be written.
    """
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        replace_file(output, text.encode())
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        raise UsageError(message, hint="name another file with -o") from error


def replace_file(file: Path, data: bytes) -> None:
    """Write a file that is never seen half written, keeping its mode where it exists.

    Raises:
        OSError: It cannot be written; what was there before is there still.
    """
    import shutil

    target = file.resolve()
    if target.exists() and not target.is_file():
        # A pipe or a device: there is nothing to replace.
        target.write_bytes(data)
        return
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with fresh.open("xb") as stream:
            stream.write(data)
        if target.exists():
            shutil.copymode(target, fresh)
        fresh.replace(target)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
