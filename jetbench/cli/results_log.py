"""``jetbench results log``: the raw log of a trial."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from jetbench.analysis.chosen import WantedCase
from jetbench.cli import complete, exit_codes
from jetbench.cli.case import (
    OneBatchOption,
    OneBoardOption,
    OneModelOption,
    OneModeOption,
    not_one,
)
from jetbench.cli.common import RESULTS, OutputOption, ResultsOption
from jetbench.domain.errors import ResultError
from jetbench.formats.words import printable


def show_log(
    sweep: Annotated[
        str,
        typer.Argument(
            metavar="SWEEP",
            autocompletion=complete.sweeps,
            help="An id, a day, latest, a name, a folder.",
        ),
    ] = "latest",
    board: OneBoardOption = None,
    model: OneModelOption = None,
    batch: OneBatchOption = None,
    power_mode: OneModeOption = None,
    repeat: Annotated[
        int, typer.Option(metavar="N", min=0, help="Which process of the case; 0: the warm-up.")
    ] = 1,
    results: ResultsOption = RESULTS,
    output: OutputOption = None,
) -> None:
    """Print the raw log of a trial, byte for byte as the board wrote it.

    It is taken from the journal, and its hash is checked. On a terminal control characters are
    shown as escapes; into a pipe or a file it goes as it is.

    \b
    Examples:
      jetbench results log latest --board tx2-01 --model vgg16
      jetbench results log 2026-01-02 -b tx2-01 -m vgg16 --repeat 3 | jetbench parse -

    \b
    Exit codes:
      0 printed     1 this trial left no log     2 no such sweep, or not one trial is meant
    """
    from jetbench.cli.main import complain
    from jetbench.cli.output import check_output, replace_file
    from jetbench.domain.errors import StoreError
    from jetbench.formats.journal import JournalReader
    from jetbench.formats.words import escaped
    from jetbench.store.prune import check_not_pruned
    from jetbench.store.results import locate
    from jetbench.store.sweep_folder import SweepFolder

    check_output(output)
    path = locate(sweep, results)
    check_not_pruned(path)
    wanted = WantedCase(board, model, batch, power_mode)
    where, trial = _the_trial(path, wanted, repeat)
    lines = SweepFolder.open(path).journal_lines(where)
    found = (one for one in JournalReader().trials(lines) if one.id == trial)
    log = next((one.log for one in found if one.log is not None), None)
    if log is None:
        message = f"{printable(str(path))}: that trial left no whole log on {printable(where)}"
        complain(StoreError(message, hint="jetbench results show says what became of it"))
        raise typer.Exit(exit_codes.FAILED)
    if output is not None:
        replace_file(output, log)
    elif sys.stdout.isatty():
        text = log.decode("utf-8", "surrogateescape")
        typer.echo("\n".join(map(escaped, text.split("\n"))), nl=False)
    else:
        sys.stdout.buffer.write(log)
        sys.stdout.buffer.flush()


def _the_trial(path: Path, wanted: WantedCase, repeat: int) -> tuple[str, int]:
    """The board and the number of the one trial that is meant.

    Raises:
        ResultError: There is no plan here: a result alone has no logs.
        ChoiceError: None is meant, or several are.
    """
    from jetbench.formats.kept_plan import parse_trials

    file = path / "plan.json"
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(
            f"{printable(str(path))}: it came without its journals: there is no plan to read",
            hint="ask for the folder or an archive of it: jetbench results export --archive",
        ) from error
    trials = [
        one
        for one in parse_trials(text, str(file))
        if wanted.fits(one.board, one.model, one.batch, [one.power_mode])
    ]
    if repeat == 0:
        # The warm-up is one for a board, and is none of the plan's.
        boards = list(dict.fromkeys(one.board for one in trials))
        if len(boards) == 1:
            return boards[0], 0
    found = [one for one in trials if one.repeat == repeat]
    if len(found) == 1:
        return found[0].board, found[0].id
    told = [
        f"--board {printable(one.board, 40)} --model {printable(one.model, 60)} "
        f"--batch {one.batch} --power-mode {printable(one.power_mode, 40)} "
        f"--repeat 1 to {max(each.repeat for each in trials if each.case == one.case)}"
        for one in trials
        if one.repeat == 1
    ]
    raise not_one(told, str(path), any_fits=bool(found))
