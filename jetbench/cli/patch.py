"""``jetbench patch``: a prototxt with another batch size."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli.arguments import (
    BatchOption,
    DataLayersOption,
    ModelArgument,
    PhaseOption,
    ShapeOption,
    StageOption,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_PLAIN = "\x1b[0m"


def patch(
    model: ModelArgument,
    batch: BatchOption = None,
    shape: ShapeOption = None,
    phase: PhaseOption = "TEST",
    stage: StageOption = None,
    data_layers: DataLayersOption = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write here, whole or not at all.",
            show_default=False,
        ),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show what changes instead.")] = False,
) -> None:
    """Set the batch size of a prototxt.

    Only the digits of the batch change: comments, line ends and every other byte stay. A batch
    that stands further down, in a Reshape for one, is found and changes too. What is not certain
    is refused, with the line, and nothing is written (exit code 2).

    \b
    Examples:
      jetbench patch deploy.prototxt > batch1.prototxt
      jetbench patch deploy.prototxt --batch 4 -o deploy.prototxt
      jetbench patch bvlc_alexnet --batch 8 --diff
      jetbench patch deploy.prototxt --shape data=1x3x512x512
      jetbench patch train_val.prototxt --phase TRAIN --data-layers
    """
    from jetbench.bench.models import local_text, resolve
    from jetbench.cli.arguments import phase_of, stages_of
    from jetbench.cli.common import patched_text
    from jetbench.formats.words import escaped
    from jetbench.nets.way_back import way_back_note

    found = resolve(model)
    patched = patched_text(found, batch, shape, phase, stage, data_layers=data_layers)
    if not patched.edits:
        typer.echo(f"note: {escaped(found.source)} has batch {patched.batch} already", err=True)
    elif not shape:
        note = way_back_note(
            local_text(found),
            patched,
            phase=phase_of(phase),
            stages=stages_of(stage),
            data_layers=data_layers,
        )
        if note is not None:
            typer.echo(f"note: {escaped(note)}", err=True)
    if diff:
        source = escaped(found.source)
        names = (source, f"{source} (batch {patched.batch})")
        lines = _diff(local_text(found), patched.text, names, colour=_wants_colour(output))
        _write("".join(lines), output)
    elif output is None and sys.stdout.isatty():
        _write("".join(map(_harmless, patched.text.removesuffix("\n").split("\n"))), output)
    else:
        _write(patched.text, output)


def _diff(old: str, new: str, names: tuple[str, str], *, colour: bool) -> Iterator[str]:
    """The lines of a unified diff; for a terminal coloured, and safe to show."""
    import difflib
    import re

    before, after = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (old, new))
    for line in difflib.unified_diff(before, after, *names):
        shown = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        yield _coloured(shown) if colour else shown


def _coloured(line: str) -> str:
    shown = _harmless(line)
    start = _COLOURS.get(line[:1])
    return f"{start}{shown[:-1]}{_PLAIN}\n" if start else shown


def _harmless(line: str) -> str:
    """A line of a file as a terminal may show it; it ends with a line end."""
    from jetbench.formats.words import escaped

    return "\t".join(map(escaped, line.rstrip("\r\n").split("\t"))) + "\n"


def _wants_colour(output: Path | None) -> bool:
    return output is None and sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _write(text: str, output: Path | None) -> None:
    """Write to standard output, or to a file that is never seen half written."""
    data = text.encode("utf-8", "surrogateescape")
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from jetbench.cli.output import replace_file
    from jetbench.domain.errors import UsageError

    try:
        replace_file(output, data)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error
