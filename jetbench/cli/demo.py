"""``jetbench demo``: the main job on three virtual boards, with no hardware."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jetbench.cli.common import RESULTS, ResultsOption
from jetbench.cli.output import ResultFormat

MODELS = ("bvlc_alexnet", "bvlc_googlenet", "vgg16", "resnet50")


def demo(
    boards: Annotated[int, typer.Option(min=1, max=64, help="How many virtual boards.")] = 3,
    repeats: Annotated[int, typer.Option(min=1, help="Processes a case.")] = 3,
    results: ResultsOption = RESULTS,
    result_format: Annotated[
        ResultFormat, typer.Option("--format", help="Of the result.")
    ] = ResultFormat.TABLE,
    report: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the report of it is written.")
    ] = Path("jetbench-demo"),
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Measure the four published models on virtual boards, then show the table and the report.

    The boards are SSH servers inside this program; their caffe computes each time from the shapes
    of the layers and the peaks of a TX2, so the numbers are simulated and marked so. Everything
    else (connecting, uploading, setting power, following, parsing) is what `jetbench run` does.

    \b
    Examples:
      jetbench demo
      jetbench demo --boards 8 --format markdown
    """
    import tempfile

    from jetbench.bench.carrying_out import new_recorder, result_of
    from jetbench.bench.plan import make_plan
    from jetbench.cli.measure import carry_out, exit_code
    from jetbench.cli.output import command_line, show_result
    from jetbench.cli.remember import remember
    from jetbench.domain.plan import Options
    from jetbench.formats.inventory import parse_inventory
    from jetbench.virtual.fleet import VirtualFleet

    with (
        tempfile.TemporaryDirectory(prefix="jetbench-demo-") as folder,
        VirtualFleet(boards=boards, directory=Path(folder)) as fleet,
    ):
        inventory = parse_inventory(fleet.inventory_text(), "demo")
        options = Options(repeats=repeats)
        plan = make_plan(inventory.boards, MODELS, options, command_line())
        recorder = new_recorder(plan, results)
        result = result_of(plan, recorder, interrupted=carry_out(plan, recorder, quiet=quiet))
    remember(recorder.path, None)
    show_result(result, result_format, None, results / plan.sweep_id, quiet=quiet)
    _write_report(plan.sweep_id, report, results, quiet=quiet)
    if not quiet:
        typer.echo("Next: jetbench init writes an inventory for boards of your own.", err=True)
    raise typer.Exit(exit_code(result))


def _write_report(sweep_id: str, folder: Path, results: Path, *, quiet: bool) -> None:
    """The site of this sweep alone; where it cannot be written, the table is there still."""
    import jetbench
    from jetbench.cli.main import complain
    from jetbench.cli.sweeps import say
    from jetbench.domain.errors import JetbenchError
    from jetbench.domain.history import Wanted
    from jetbench.report.site.writing import make_site
    from jetbench.store.site import SiteFolder

    try:
        make_site(
            SiteFolder(folder), [sweep_id], Wanted(), results, None,
            logs=1, version=jetbench.__version__, say=say,
        )  # fmt: skip
    except JetbenchError as error:
        complain(error)
        return
    if not quiet:
        typer.echo(f"The report: {folder / 'index.html'}", err=True)
