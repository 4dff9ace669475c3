"""``jetbench report``: what was measured as a site, or as one picture."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.analysis.chosen import WantedCase
from jetbench.cli import complete, exit_codes
from jetbench.cli.case import OneBatchOption, OneModeOption
from jetbench.cli.common import RESULTS, BoardOption, DatabaseOption, ResultsOption
from jetbench.cli.wanted import ModelOption, RealOption, SinceOption, UntilOption
from jetbench.formats.words import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator


FOLDER = Path("jetbench-report")
_LOGS = 10


def report(
    sweeps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SWEEP]...",
            autocompletion=complete.sweeps,
            help="Only these: ids, days, latest, names, folders, files.",
            show_default="the whole history",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="The folder of the site.")
    ] = FOLDER,
    board: BoardOption = None,
    model: ModelOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    real: RealOption = None,
    svg: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A picture instead of the site.", show_default=False),
    ] = None,
    png: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same, as pixels.", show_default=False)
    ] = None,
    power_mode: OneModeOption = None,
    batch: OneBatchOption = None,
    logs: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Take the raw logs of the newest N sweeps along; those that are there stay.",
        ),
    ] = _LOGS,
    browse: Annotated[
        bool, typer.Option("--open", help="Show it in the browser when it is written.")
    ] = False,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing.")] = False,
) -> None:
    """Write a site to look at: the fleet, each model, each board, each sweep. Or one picture.

    The files open from a disk and from any web server, and load nothing from elsewhere. Written
    again into the same folder, only what has changed is replaced; the link to each thing stays.

    --svg and --png write a picture for a slide or a README instead, of one sweep: its times as
    bars, or with --model the layers of one case against the bound. They need the extra: pip
    install 'jetbench[plots]'.

    \b
    Examples:
      jetbench report
      jetbench report -o /var/www/jetbench -q
      jetbench report latest -o last-night --open
      jetbench report --since 2026-01-01 --model resnet50 --board @lab-a -o resnet50
      jetbench report latest --svg times.svg
      jetbench report latest --png resnet50.png --model resnet50 --board tx2-01

    \b
    Exit codes:
      0 written     1 it could not be     2 no such sweep, or wrong usage     3 nothing fits
    """
    import jetbench
    from jetbench.cli.sweeps import say
    from jetbench.formats.wanted import wanted_of
    from jetbench.report.site.writing import make_site
    from jetbench.store.site import SiteFolder

    if svg is not None or png is not None:
        from jetbench.cli.pictures import write_pictures

        case = WantedCase(None, None, batch, power_mode)
        write_pictures(sweeps or (), svg, png, board or (), model or (), case, results, db)
        return
    wanted = wanted_of(board, model, since=since, until=until, real=real)
    with working(quiet=quiet):
        found = make_site(
            SiteFolder(output), sweeps or (), wanted, results, db,
            logs=logs, version=jetbench.__version__, say=say,
        )  # fmt: skip
    if not found:
        print(
            "Nothing of that was measured; `jetbench results list` shows what is.", file=sys.stderr
        )
        raise typer.Exit(exit_codes.NOTHING)
    if not quiet:
        print(f"Written: {escaped(str(output / 'index.html'))}", file=sys.stderr)
    if browse:
        typer.launch(str((output / "index.html").resolve()))


@contextmanager
def working(*, quiet: bool) -> Iterator[None]:
    """Show on a terminal that something is being done."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status("Writing the report"):
        yield
