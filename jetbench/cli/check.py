"""``jetbench boards check``: can each board measure, and if not, why and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.common import BoardOption, InventoryOption, ListFormat


def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|@TAG]...", autocompletion=complete.boards, help="Only these boards."
        ),
    ] = None,
    inventory: InventoryOption = None,
    board: BoardOption = None,
    gpu: Annotated[
        str | None, typer.Option(metavar="N|none", help="Device it is to measure on.")
    ] = None,
    phase: Annotated[str, typer.Option(metavar="TEST|TRAIN", help="Of the net.")] = "TEST",
    power_mode: Annotated[
        str,
        typer.Option(
            metavar="ID|NAME|keep",
            autocompletion=complete.power_modes,
            help="Mode to set, or several with commas.",
        ),
    ] = "0",
    clocks: Annotated[
        bool, typer.Option("--clocks/--no-clocks", help="Whether clocks are to be locked.")
    ] = True,
    list_format: Annotated[
        ListFormat, typer.Option("--format", help="For a person, or for a script.")
    ] = ListFormat.TABLE,
) -> None:
    """Find out what each board is and whether it can measure as asked.

    One round trip a board; nothing is changed there. For each lack it says what to do about it.
    Exit code 0 when every board can measure, 1 when some cannot, 3 when none can.

    \b
    Examples:
      jetbench boards check
      jetbench boards check tx2-01 --format json
      jetbench boards check --gpu none --power-mode keep --no-clocks
    """
    from jetbench.bench.inventories import load_boards
    from jetbench.bench.survey import survey
    from jetbench.cli.arguments import gpu_of, phase_of, power_modes_of
    from jetbench.cli.secrets import Secrets
    from jetbench.domain.plan import Options
    from jetbench.remote.connection import Connector
    from jetbench.report.survey import survey_json, survey_text

    options = Options(
        gpu=gpu_of(gpu),
        phase=phase_of(phase),
        power_modes=power_modes_of(power_mode),
        clocks=clocks,
    )
    boards = load_boards(inventory, [*(names or []), *(board or [])])
    secrets = Secrets()
    with Connector(ssh_config=None, ask_passphrase=secrets.passphrase) as connector:
        found = survey(boards, options, connector.connect)
    typer.echo(survey_json(found) if list_format is ListFormat.JSON else survey_text(found))
    able = sum(one.can_measure for one in found)
    if able == len(found):
        return
    raise typer.Exit(exit_codes.FAILED if able else exit_codes.NOTHING)
