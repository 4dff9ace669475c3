"""``jetbench models``: the models that come with the program."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from jetbench.nets.net import Net
    from jetbench.nets.zoo import ZooModel


class ModelsFormat(str, Enum):
    """How the models are shown: to a person, to a script, or in a document."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def models(
    list_format: Annotated[
        ModelsFormat, typer.Option("--format", help="For a person, a script or a document.")
    ] = ModelsFormat.TABLE,
) -> None:
    """List the models that come with the program.

    Any of these names can stand where a command asks for a MODEL. Parameters and
    multiply-accumulates (GMACs, of one image) are worked out from the prototxt; statistics
    are what batch normalisation keeps beside its parameters.

    \b
    Examples:
      jetbench models
      jetbench models --format json
      jetbench run bvlc_alexnet vgg16
    """
    import json

    from jetbench.nets.build import build_net
    from jetbench.nets.zoo import MODELS, text_of

    rows = [(model, build_net(text_of(model.name))) for model in MODELS.values()]
    if list_format is ModelsFormat.JSON:
        typer.echo(json.dumps([_as_json(model, net) for model, net in rows], indent=2))
    else:
        typer.echo(_as_table(rows, "github" if list_format is ModelsFormat.MARKDOWN else "simple"))


def _macs_an_image(model: ZooModel, net: Net) -> int | None:
    return None if net.macs is None else net.macs // model.input[0]


def _as_json(model: ZooModel, net: Net) -> dict[str, object]:
    return {
        "name": model.name,
        "title": model.title,
        "input": list(model.input),
        "params": net.params,
        "statistics": net.statistics,
        "macs": _macs_an_image(model, net),
        "paper": model.paper,
    }


def _as_table(rows: list[tuple[ZooModel, Net]], table_format: str) -> str:
    from tabulate import tabulate

    from jetbench.nets.net import shape_text

    cells = []
    for model, net in rows:
        macs = _macs_an_image(model, net)
        cells.append(
            (
                model.name,
                shape_text(model.input[1:]),
                "" if net.params is None else f"{net.params:,}",
                "" if macs is None else f"{macs / 1e9:.2f}",
                model.paper,
            )
        )
    return tabulate(
        cells,
        headers=("Model", "Input", "Parameters", "GMACs", "Paper"),
        tablefmt=table_format,
        colalign=("left", "left", "right", "right", "left"),
        disable_numparse=True,
    )
