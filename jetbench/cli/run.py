"""``jetbench run``: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.arguments import DataLayersOption, PhaseOption, ShapeOption, StageOption
from jetbench.cli.common import (
    RESULTS,
    BoardOption,
    DatabaseOption,
    InventoryOption,
    OutputOption,
    ResultsOption,
)
from jetbench.cli.output import ResultFormat
from jetbench.cli.plan_file import PlanOption
from jetbench.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jetbench.bench.errand import Errand
    from jetbench.bench.recorder import Recorder
    from jetbench.domain.part import KnownBoard
    from jetbench.domain.plan import Plan
    from jetbench.domain.record import SweepResult


def run(  # noqa: PLR0915 - an import is a statement, too
    context: typer.Context,
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL...", autocompletion=complete.models, help="What to measure."
        ),
    ] = None,
    plan_file: PlanOption = None,  # noqa: ARG001 - its callback has set the defaults
    inventory: InventoryOption = None,
    board: BoardOption = None,
    batch: Annotated[
        str | None,
        typer.Option(metavar="N[,N...]", help="Batch sizes: 1, or as --shape says."),
    ] = None,
    shape: ShapeOption = None,
    iterations: Annotated[int, typer.Option(min=1, help="Of each process.")] = 50,
    repeats: Annotated[int, typer.Option(min=1, help="Processes a case.")] = 3,
    phase: PhaseOption = "TEST",
    stage: StageOption = None,
    data_layers: DataLayersOption = False,
    gpu: Annotated[
        str | None, typer.Option(metavar="N|none", help="Device; else the inventory's, else 0.")
    ] = None,
    power_mode: Annotated[
        str,
        typer.Option(
            metavar="ID|NAME|keep",
            autocompletion=complete.power_modes,
            help="Of nvpmodel, or several: 0,1,3; keep leaves it alone.",
        ),
    ] = "0",
    clocks: Annotated[
        bool, typer.Option("--clocks/--no-clocks", help="Lock the clocks with jetson_clocks.")
    ] = True,
    warm_up: Annotated[
        int, typer.Option(metavar="N", min=0, max=100, help="Processes that do not count, first.")
    ] = 1,
    cooldown: Annotated[
        str,
        typer.Option(metavar="CELSIUS|off", help="Begin no trial while the GPU is warmer."),
    ] = "60",
    cooldown_wait: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="Longest wait for that.")
    ] = 300,
    telemetry: Annotated[
        bool, typer.Option("--telemetry/--no-telemetry", help="Read the sensors meanwhile.")
    ] = True,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT", help="Repeat until the 95 % interval is ± that, 30 times at most."
        ),
    ] = None,
    timeout: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="For one trial.")] = 900,
    deadline: Annotated[
        int | None, typer.Option(min=1, metavar="SECONDS", help="For the sweep on a board.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides the order of the trials.")] = 0,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    result_format: Annotated[
        ResultFormat, typer.Option("--format", help="Of the result.")
    ] = ResultFormat.TABLE,
    output: OutputOption = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave once the boards measure; print the id.")
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="SWEEP",
            autocompletion=complete.sweeps,
            help="Take up a sweep that was cut off: id or latest.",
        ),
    ] = None,
    wait_for_board: Annotated[
        int,
        typer.Option(metavar="SECONDS", min=0, help="Wait in line for boards that are in use."),
    ] = 0,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=complete.baselines,
            help="Hold the result against the sweep of this name.",
        ),
    ] = None,
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit 4 where something is slower.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; touch no board.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="A line for each event, also on a terminal.")
    ] = False,
) -> None:
    """Measure models on the boards of the inventory.

    Each MODEL is a prototxt file here, board:PATH (on the board, relative to its Caffe folder), a
    folder with a deploy.prototxt, or a name from `jetbench models`; NAME=MODEL gives it a name.
    Every model is patched to the batch size, uploaded, and timed with `caffe time` in several
    processes, the models taking turns. Power mode and clocks are set, read back, and put back.
    An input that --shape gives several shapes is measured with each of them.

    The boards measure by themselves. With --detach nobody waits for them: `jetbench status`,
    `attach` and `stop` do the rest. --resume takes up a sweep whose host died or was interrupted:
    it fetches what was measured, follows what still runs, and measures what never was.

    With --baseline the result is held against an earlier sweep (`jetbench baseline set`), case by
    case. What looks slower is measured again, once, before it is believed.

    \b
    Examples:
      jetbench run bvlc_alexnet bvlc_googlenet vgg16 resnet50
      jetbench run vgg16 --board tx2-01 --board @lab-a --repeats 5
      jetbench run mine=nets/deploy.prototxt board:models/x/deploy.prototxt
      jetbench run resnet50 --power-mode MAXQ --format json -o night.json
      jetbench run vgg16 resnet50 --power-mode 0,1,3 --precision 1%
      jetbench run net.prototxt --shape data=1x3x300x300 --shape data=1x3x512x512
      jetbench run bvlc_alexnet --gpu none --power-mode keep --no-clocks
      jetbench run --plan night.yaml --board tx2-01
      jetbench run --plan night.yaml --detach --wait-for-board 3600
      jetbench run --resume latest
      jetbench run --plan night.yaml --baseline nightly --fail-on-regression

    \b
    Exit codes:
      0 all was measured      1 some cases failed or were lost
      2 wrong usage           3 nothing could be measured       130 interrupted
      4 something is slower than the baseline (--fail-on-regression)
    """
    from jetbench.bench.errand import Errand
    from jetbench.bench.inventories import load_boards
    from jetbench.bench.plan import make_plan
    from jetbench.cli import arguments
    from jetbench.cli.gate import check_gate, gate_exit_code
    from jetbench.cli.measure import say_notes
    from jetbench.cli.output import check_output, command_line, write_out
    from jetbench.cli.remember import check_database, remember
    from jetbench.domain.plan import Options

    def finish(plan: Plan, recorder: Recorder, errand: Errand) -> None:
        """Carry it out, and show what came of it."""
        from jetbench.bench.carrying_out import new_recorder, result_of
        from jetbench.cli.measure import carry_out, exit_code
        from jetbench.cli.output import show_result

        interrupted = carry_out(plan, recorder, errand, quiet=quiet, verbose=verbose)
        if recorder.at_work:
            raise typer.Exit(_left(plan, recorder, quiet=quiet))
        result = result_of(plan, recorder, interrupted=interrupted)
        remember(recorder.path, db)
        code, gate = exit_code(result), None
        if before is not None:
            from jetbench.bench.gating import pass_gate
            from jetbench.cli.sweeps import say

            def again(closer: Plan) -> SweepResult:
                second = new_recorder(closer, recorder.path.parent)
                # Others may have been waiting for the boards.
                stopped = carry_out(
                    closer, second, Errand(wait_s=wait_for_board), quiet=quiet, verbose=verbose
                )
                looked = result_of(closer, second, interrupted=stopped)
                remember(second.path, db)
                return looked

            gate, looked_again = pass_gate(
                before, plan, result, recorder.path, again, db=db, say=say
            )
            code = gate_exit_code(result, gate, code, fail=fail_on_regression, second=looked_again)
        show_result(result, result_format, output, recorder.path, quiet=quiet, gate=gate)
        raise typer.Exit(code)

    check_output(output)
    check_database(db, results)
    check_gate(baseline, fail=fail_on_regression, detach=detach)
    before = None
    if baseline is not None:
        from jetbench.bench.gating import open_baseline

        before = open_baseline(baseline, results, db)
    if resume is not None:
        _refuse_other(context)
        plan, recorder, known = _taken_up(resume, results, inventory)
        finish(plan, recorder, Errand(known=known, detach=detach, wait_s=wait_for_board))
    if not models:
        raise UsageError("no MODEL is named", hint="see jetbench run --help, or jetbench models")
    shapes = arguments.shapes_of(shape)
    options = Options(
        batches=arguments.batches_of(batch) or (() if shapes else (1,)),
        shapes=shapes,
        data_layers=data_layers,
        iterations=iterations,
        repeats=repeats,
        phase=arguments.phase_of(phase),
        stages=arguments.stages_of(stage),
        gpu=arguments.gpu_of(gpu),
        power_modes=arguments.power_modes_of(power_mode),
        clocks=clocks,
        warm_ups=warm_up,
        cooldown_c=arguments.cooldown_of(cooldown),
        cooldown_wait_s=cooldown_wait,
        telemetry=telemetry,
        precision=arguments.precision_of(precision),
        timeout_s=timeout,
        deadline_s=deadline,
        seed=seed,
    )
    boards = load_boards(inventory, board or [])
    plan = make_plan(boards, models, options, command_line())
    if dry_run:
        from jetbench.report.plan import plan_text

        write_out(plan_text(plan), output)
        return
    from jetbench.bench.carrying_out import new_recorder

    if not quiet:
        say_notes(plan)
    finish(plan, new_recorder(plan, results), Errand(detach=detach, wait_s=wait_for_board))


_WITH_RESUME = {
    *(
        "resume",
        "inventory",
        "results",
        "db",
        "result_format",
        "output",
        "detach",
        "wait_for_board",
    ),
    *("quiet", "verbose", "baseline", "fail_on_regression"),
}


def _refuse_other(context: typer.Context) -> None:
    """A sweep that is taken up is what it was: no option may say otherwise."""
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        given = source is not None and source.name == "COMMANDLINE" and context.params.get(name)
        if given and name not in _WITH_RESUME:
            what = parameter.opts[0] if parameter.opts[0].startswith("-") else "a MODEL"
            message = f"--resume takes up a sweep as it was planned, without {what}"
            raise UsageError(message, hint="leave that out, or measure anew without --resume")


def _taken_up(
    word: str, results: Path, inventory: Path | None
) -> tuple[Plan, Recorder, Mapping[str, KnownBoard]]:
    """A sweep that was begun, and is to be finished from here."""
    from jetbench.bench.recorder import Recorder
    from jetbench.bench.resuming import known_of
    from jetbench.cli.take_up import begun

    folder, plan = begun(word, results, inventory)
    folder.own()
    return plan, Recorder(plan, folder), known_of(folder, plan)


def _left(plan: Plan, recorder: Recorder, *, quiet: bool) -> int:
    """Say how to come back to boards that measure by themselves; the exit code."""
    if not quiet:
        print(
            f"The boards measure by themselves: jetbench status, attach or stop {plan.sweep_id}",
            file=sys.stderr,
        )
    typer.echo(plan.sweep_id)
    return exit_codes.OK if recorder.healthy else exit_codes.FAILED
