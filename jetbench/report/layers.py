"""The profile of a case, layer by layer, or of two side by side."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from tabulate import tabulate

from jetbench.analysis.difference import by_name, layer_differences
from jetbench.formats.words import printable
from jetbench.report.table import cell, inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.record import LayerTime, Record

Json = dict[str, Any]
Order = Literal["net", "time", "difference"]

_NAME = 30
_TYPE = 14
_DASH = "-"


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A layer of one record, or of two."""

    name: str
    """As the net has it."""
    type: str | None
    """As the printed net has it."""
    forward_ms: float | None
    """The mean over the processes."""
    backward_ms: float | None
    """The mean over the processes."""
    share: float | None
    """Of the forward time of all layers."""
    b_forward_ms: float | None = None
    """The mean forward time in the other sweep."""
    more_ms: float | None = None
    """Forward, B minus A."""


def profile(a: Record, b: Record | None, order: Order, top: int | None) -> list[ProfileLine]:
    """The layers of a case, and beside them those of another sweep.

    Args:
        a: The case.
        b: The same case elsewhere.
        order: As in the net, the slowest first, or the largest difference first.
        top: How many; None for all.
    """
    total = sum(layer.forward_ms or 0.0 for layer in a.layers)
    lines = [_line(layer, total) for layer in a.layers]
    if b is not None:
        of_b = dict(by_name(b.layers))
        beside = [
            _beside(line, of_b.pop(key, None))
            for key, line in zip(by_name(a.layers), lines, strict=True)
        ]
        # What only B has stands at the end.
        lines = [
            *beside,
            *(
                ProfileLine(other.name, other.type, None, None, None, other.forward_ms)
                for other in of_b.values()
            ),
        ]
    if order == "time":
        lines.sort(key=lambda line: -(line.forward_ms or line.b_forward_ms or 0.0))
    elif order == "difference":
        lines.sort(key=lambda line: -abs(line.more_ms or 0.0))
    return lines[:top]


def layers_table(
    a: Record, b: Record | None, lines: Sequence[ProfileLine], *, markdown: bool = False
) -> str:
    """The profile in 80 columns, and its sums."""
    if b is None:
        columns = {
            "Forward, ms": [_ms(line.forward_ms) for line in lines],
            "Part": [_part(line.share) for line in lines],
            "Backward, ms": [_ms(line.backward_ms) for line in lines],
        }
    else:
        columns = {
            "A, ms": [_ms(line.forward_ms) for line in lines],
            "B, ms": [_ms(line.b_forward_ms) for line in lines],
            "B - A, ms": [_signed(line.more_ms) for line in lines],
            "B / A": [_ratio(line) for line in lines],
        }
    table = tabulate(
        {
            "Layer": [cell(line.name, _NAME, markdown=markdown) for line in lines],
            "Type": [cell(line.type or _DASH, _TYPE, markdown=markdown) for line in lines],
            **columns,
        },
        headers="keys",
        tablefmt="github" if markdown else "simple",
        disable_numparse=True,
        colalign=("left", "left", *("right" for _ in columns)),
    )
    return "\n".join([_heading(a), "", table, "", *_sums(a, b)]) + "\n"


def layers_csv(a: Record, b: Record | None, lines: Sequence[ProfileLine]) -> str:
    """A row a layer."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    two = () if b is None else ("b_forward_ms", "more_ms")
    writer.writerow(("board", "model", "name", "type", "forward_ms", "backward_ms", "share", *two))
    for line in lines:
        beside = () if b is None else (line.b_forward_ms, line.more_ms)
        writer.writerow(
            (inert(a.board), inert(a.model), inert(line.name), inert(line.type or ""),
             line.forward_ms, line.backward_ms, line.share, *beside)
        )  # fmt: skip
    return buffer.getvalue()


def layers_to_json(a: Record, b: Record | None, lines: Sequence[ProfileLine]) -> Json:
    """The document of ``jetbench results layers --format json``."""
    keys = ["name", "type", "forward_ms", "backward_ms", "share"]
    keys += [] if b is None else ["b_forward_ms", "more_ms"]
    mode = a.power_mode
    return {
        "schema": 1,
        "board": a.board,
        "model": a.model,
        "batch": a.batch,
        "phase": a.phase,
        "power_mode": None if mode is None else {"id": mode.id, "name": mode.name},
        "simulated": a.simulated,
        "layers": [{key: asdict(line)[key] for key in keys} for line in lines],
    }


def _line(layer: LayerTime, total_ms: float) -> ProfileLine:
    share = layer.forward_ms / total_ms if layer.forward_ms is not None and total_ms else None
    return ProfileLine(layer.name, layer.type, layer.forward_ms, layer.backward_ms, share)


def _beside(line: ProfileLine, other: LayerTime | None) -> ProfileLine:
    b_ms = None if other is None else other.forward_ms
    more = None if b_ms is None or line.forward_ms is None else b_ms - line.forward_ms
    return ProfileLine(
        line.name, line.type, line.forward_ms, line.backward_ms, line.share, b_ms, more
    )


def _heading(record: Record) -> str:
    mode = record.power_mode
    parts = [
        f"{printable(record.model, 60)} on {printable(record.board, 60)}",
        f"batch {record.batch}",
        record.phase,
        None if mode is None else printable(mode.name or f"mode {mode.id}", 60),
        "simulated" if record.simulated else None,
    ]
    return ", ".join(part for part in parts if part)


def _sums(a: Record, b: Record | None) -> list[str]:
    lines = []
    for side, record in (("A", a), ("B", b)):
        if record is None:
            continue
        name = "" if b is None else f"{side}: "
        layers = sum(layer.forward_ms or 0.0 for layer in record.layers)
        whole = (
            "" if record.forward_ms is None else f", {record.forward_ms.mean:.4g} ms as a whole"
        )
        count = f"{len(record.layers)} layers" if len(record.layers) != 1 else "1 layer"
        lines.append(f"{name}{count}, {layers:.4g} ms forward{whole}; means over the processes.")
    if b is not None and (found := layer_differences(a, b)):
        most = found[0]
        lines.append(
            f"The largest difference: {printable(most.name, 60)}, "
            f"{most.b_ms - most.a_ms:+.3g} ms, "
            f"{100 * most.share:.0f} % of that of all layers."
        )
    return lines


def _ms(value: float | None) -> str:
    return _DASH if value is None else f"{value:.4f}"


def _signed(value: float | None) -> str:
    return _DASH if value is None else f"{value:+.4f}"


def _part(share: float | None) -> str:
    return _DASH if share is None else f"{100 * share:.1f} %"


def _ratio(line: ProfileLine) -> str:
    if line.b_forward_ms is None or not line.forward_ms:
        return _DASH
    return f"{line.b_forward_ms / line.forward_ms:.3f}"
