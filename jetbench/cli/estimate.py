"""``jetbench estimate``: what a net costs, and the time that a TX2's peaks allow."""

from __future__ import annotations

from enum import Enum
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
from jetbench.cli.common import OutputOption

if TYPE_CHECKING:
    from jetbench.report.estimate import Estimate


class EstimateFormat(str, Enum):
    """How the costs are shown: to a person, to a script, or in a document."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def estimate(
    model: ModelArgument,
    batch: BatchOption = None,
    shape: ShapeOption = None,
    phase: PhaseOption = "TEST",
    stage: StageOption = None,
    data_layers: DataLayersOption = False,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="LAYER",
            help="Only what this layer needs, and the layer itself; a blob will do, too.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        EstimateFormat, typer.Option("--format", help="For a person, a script or a document.")
    ] = EstimateFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """Say what a net costs: layers, shapes, MACs, the least time.

    The least time is what the peaks of a TX2 allow, layer by layer the larger of arithmetic
    and memory traffic, in each power mode. It is a lower bound, not a prediction: published
    times are two to four times as long. Nothing is run, and no board is needed.

    \b
    Examples:
      jetbench estimate deploy.prototxt
      jetbench estimate vgg16 --until pool5
      jetbench estimate resnet50 --batch 8 --format json
      jetbench estimate ssd300 --shape data=1x3x512x512
      jetbench estimate nets/ssd --format markdown -o costs.md
    """
    from jetbench.bench.models import built_here, resolve
    from jetbench.cli.arguments import phase_of, stages_of
    from jetbench.cli.common import patched_text
    from jetbench.cli.output import check_output, write_out
    from jetbench.report.estimate import Estimate

    check_output(output)
    found = resolve(model)
    patched = patched_text(found, batch, shape, phase, stage, data_layers=data_layers)
    net = built_here(found, patched.text, phase_of(phase), stages_of(stage), until)
    write_out(_rendered(Estimate(found.name, patched.batch, net, until), form), output)


def _rendered(estimate: Estimate, form: EstimateFormat) -> str:
    import json

    from jetbench.report.estimate import estimate_csv, estimate_table, estimate_to_json

    match form:
        case EstimateFormat.JSON:
            return json.dumps(estimate_to_json(estimate), indent=1) + "\n"
        case EstimateFormat.CSV:
            return estimate_csv(estimate)
        case EstimateFormat.TABLE | EstimateFormat.MARKDOWN:
            return estimate_table(estimate, markdown=form is EstimateFormat.MARKDOWN)
