"""The ``jetbench`` command: its verbs, and how errors become exit codes."""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated

import typer

from jetbench.cli import exit_codes
from jetbench.cli.lazy import later
from jetbench.domain.errors import (
    BoardError,
    ChoiceError,
    InventoryError,
    JetbenchError,
    UsageError,
)
from jetbench.formats.words import escaped


def _examples(*lines: str) -> str:
    r"""The end of a group's help. What stands behind ``\b`` keeps its lines."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


app = typer.Typer(
    name="jetbench",
    help="Inference times of Caffe models on Jetson boards that can be believed.",
    epilog=_examples(
        "jetbench demo                 # no hardware",
        "jetbench init                 # then put your boards in",
        "jetbench run vgg16 resnet50",
        "jetbench --install-completion",
    ),
    no_args_is_help=True,
    # Plain help: it reads the same in a pager, and needs nothing imported.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
boards = typer.Typer(
    help="The fleet: what is there, can it measure, whom to trust.",
    epilog=_examples("jetbench boards trust tx2-01", "jetbench boards check @lab-a"),
    no_args_is_help=True,
)
baseline = typer.Typer(
    help="Names for the sweeps that others are held against.",
    epilog=_examples("jetbench baseline set nightly", "jetbench baseline list"),
    no_args_is_help=True,
)
results = typer.Typer(
    help="What was measured, night after night.",
    epilog=_examples("jetbench results list", "jetbench results show latest --status suspect"),
    no_args_is_help=True,
)
virtual = typer.Typer(
    help="Boards without hardware.",
    epilog=_examples("jetbench virtual up --boards 8"),
    no_args_is_help=True,
)

GROUPS = {"boards": boards, "baseline": baseline, "results": results, "virtual": virtual}
"""Of commands, by their names."""


def _version(value: bool) -> None:
    if value:
        import jetbench

        typer.echo(f"jetbench {jetbench.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Inference times of Caffe models on Jetson boards that can be believed."""


COMMANDS = (
    (app, "run", "run:run", "Measure models on the boards of the inventory."),
    (app, "demo", "demo:demo", "Measure the four published models on virtual boards."),
    (app, "init", "init:init", "Write a commented inventory.yaml to begin with."),
    (app, "patch", "patch:patch", "Set the batch size of a prototxt."),
    (
        app,
        "estimate",
        "estimate:estimate",
        "Say what a net costs: layers, shapes, MACs, the least time.",
    ),
    (app, "parse", "parse:parse", "Read logs of caffe time."),
    (app, "compare", "compare:compare", "Compare two sweeps, case by case, with a verdict."),
    (
        app,
        "notify",
        "notify:notify",
        "Say in a line how a night went, and tell CI servers, Prometheus and chats.",
    ),
    (app, "history", "history:history", "Show cases over the nights, and the steps in them."),
    (
        app,
        "report",
        "report:report",
        "Write a site to look at: the fleet, each model, each board, each sweep. Or one picture.",
    ),
    (
        app,
        "status",
        "status:status",
        "Show what runs on the boards: which sweep, for whom, since when, how far it is.",
    ),
    (
        app,
        "attach",
        "attach:attach",
        "Follow a sweep that runs by itself, fetch what it has measured, and show the result.",
    ),
    (
        app,
        "stop",
        "stop:stop",
        "End a sweep wherever it runs: the trials that run are ended, the boards put back.",
    ),
    (app, "models", "models:models", "List the models that come with the program."),
    (boards, "list", "boards_list:boards_list", "Show the boards of the inventory."),
    (boards, "check", "check:check", "Find out what each board is and whether it can measure."),
    (
        boards,
        "restore",
        "restore:restore",
        "Put back power mode, clocks and fan where a sweep could not do it.",
    ),
    (
        boards,
        "sudoers",
        "sudoers:write_sudoers",
        "Write what lets a user set power mode and clocks, and nothing else as root.",
    ),
    (boards, "trust", "trust:trust", "Show the boards' host keys, and enrol them."),
    (boards, "unlock", "unlock:unlock", "Break the lock of a sweep that is dead."),
    (
        baseline,
        "set",
        "baseline:set_baseline",
        "Give a sweep a name, for `run --baseline`, `compare` and all else that takes a sweep.",
    ),
    (
        baseline,
        "list",
        "baseline:list_baselines",
        "Show the names, and the sweeps that they stand for.",
    ),
    (
        baseline,
        "remove",
        "baseline:remove_baseline",
        "Take a name away; the sweep stays what it is.",
    ),
    (
        results,
        "list",
        "results_list:list_sweeps",
        "Show the sweeps that there are, the newest first.",
    ),
    (
        results,
        "show",
        "results_show:show_sweep",
        "Show a sweep as `run` showed it, whole or in part, and what the gate said of it.",
    ),
    (
        results,
        "layers",
        "results_layers:show_layers",
        "Show the profile of a case, layer by layer, or of two sweeps side by side.",
    ),
    (
        results,
        "log",
        "results_log:show_log",
        "Print the raw log of a trial, byte for byte as the board wrote it.",
    ),
    (
        results,
        "export",
        "results_export:export",
        "Write everything that was measured as one flat table, or pack sweeps for a colleague.",
    ),
    (
        results,
        "import",
        "import_sweeps:import_sweeps",
        "Bring in sweeps that were measured elsewhere, or while the database was away.",
    ),
    (
        results,
        "prune",
        "prune:prune",
        "Delete the journals and raw logs of old sweeps; what they came to stays.",
    ),
    (
        results,
        "reindex",
        "reindex:reindex",
        "Bring every sweep's folder into the history: what was missed, or all of it again.",
    ),
    (virtual, "up", "virtual:up", "Serve virtual boards until Ctrl-C."),
)
"""Group, name, where the function stands below `jetbench.cli`, and how its docstring begins."""

for _command in COMMANDS:
    later(*_command)
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)


_COMPLETING = "_JETBENCH_COMPLETE"
"""Set by the shell where it wants to know what could come next."""


def main() -> None:
    """Run the command line; every error ends as one message and an exit code."""
    try:
        if _COMPLETING in os.environ:
            from jetbench.cli.complete import mend_words

            mend_words(os.environ)
        app()
    except JetbenchError as error:
        complain(error)
        sys.exit(exit_codes.USAGE if isinstance(error, UsageError) else _code(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(exit_codes.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has left: not an error, and nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(exit_codes.FAILED)
    finally:
        # At its end Python looks through every object once more for circles of garbage: a sixth
        # of a second after libraries such as scipy, for memory that goes with the process.
        gc.freeze()


def complain(error: JetbenchError) -> None:
    """Say what is wrong and what to do about it, on standard error."""
    # A name in it may be anything. Only an inventory's faults stand on lines of their own.
    lines = error.message.split("\n") if isinstance(error, InventoryError) else [error.message]
    print("error: " + "\n".join(map(escaped, lines)), file=sys.stderr)
    if isinstance(error, ChoiceError) and error.choices:
        print("hint: choose one:\n  " + "\n  ".join(error.choices), file=sys.stderr)
    if error.hint:
        print(f"hint: {escaped(error.hint)}", file=sys.stderr)


def _code(error: JetbenchError) -> int:
    return exit_codes.NOTHING if isinstance(error, BoardError) else exit_codes.FAILED
