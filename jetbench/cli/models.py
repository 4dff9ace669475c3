"""``jetbench models``: the models that come with the program."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from jetbench.nets.zoo import ZooModel


class ModelsFormat(str, Enum):
    """How the models are shown: to a person, to a script, or in a document."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


def models(
    list_format: Annotated[
        ModelsFormat, typer.Option("--format", help="For a person, a document or a script.")
    ] = ModelsFormat.TABLE,
) -> None:
    """List the models that come with the program.

    Any of these names can stand where a command asks for a MODEL. GMACs are billions of
    multiply-accumulates, for one image. What needs BVLC 1.0 runs on any Caffe of 2017 or
    later. What needs the SSD fork runs on SSD's Caffe alone, and with `--phase TRAIN`: its
    last layer, which is for TEST, has no backward pass, and `caffe time` runs both passes.

    \b
    Examples:
      jetbench models
      jetbench models --format json
      jetbench run bvlc_alexnet vgg16
    """
    import json

    from jetbench.nets.zoo import MODELS
    from jetbench.report.models import models_table

    if list_format is ModelsFormat.JSON:
        typer.echo(json.dumps([_as_json(model) for model in MODELS.values()], indent=2))
    else:
        typer.echo(models_table(MODELS.values(), markdown=list_format is ModelsFormat.MARKDOWN))


def _as_json(model: ZooModel) -> dict[str, object]:
    return {
        "name": model.name,
        "title": model.title,
        "input": list(model.input),
        "params": model.params,
        "statistics": model.statistics,
        "macs": model.macs,
        "paper": model.paper,
        "needs": model.needs,
        "phase": model.phase,
    }
