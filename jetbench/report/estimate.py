"""What a net costs, and what a TX2's peaks allow: as a table, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from tabulate import tabulate

from jetbench.formats.words import printable
from jetbench.nets.net import shape_text
from jetbench.nets.peaks import FLOP_A_MAC, TX2_PEAKS, at_least, bound_ms, layer_bound_ms, limit_of
from jetbench.report.table import GAP, WIDTH, inert, significant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jetbench.nets.net import Layer, Net
    from jetbench.nets.peaks import Peak, Precision

Json = dict[str, Any]

_MAXN = TX2_PEAKS[0]
_BOUNDS: dict[str, tuple[str, Precision, bool]] = {
    "bound_ms": ("FP32", "fp32", False),
    "bound_fast_ms": ("FP32 fast", "fp32", True),
    "bound_fp16_ms": ("FP16", "fp16", False),
    "bound_fp16_fast_ms": ("FP16 fast", "fp16", True),
}
"""By its key in the JSON: a bound's header, its precision, and whether it is the fast one."""

_HEADERS = ("Layer", "Type", "Output", "Params", "MACs", "ms", "Share")
_TEXTS = 3
"""So many columns are words, to the left; the others are numbers, to the right."""
_MODEL_WIDTH = 40
_TYPE_WIDTH = 15
_OUTPUT_WIDTH = 14
_LEAST_NAME = 12
_MAX_NAMED = 5
_UNITS = ("", "k", "M", "G", "T")
_THOUSAND = 1000
_MANY = 100
_ROUNDED_UP = 999.5
"""From here on, three figures are a thousand."""
_LIMITS = {"arithmetic": " a", "memory": " m", None: ""}
_LEGEND = (
    (
        "ms: what the peaks allow at best in MAXN, in FP32 and by direct arithmetic, limited"
        " by arithmetic (a) or memory (m). Share: of the sum of these times."
    ),
    "fast: with only the multiplications that Winograd or FFT leave.",
    "This is the roofline of a TX2's peaks: a lower bound, not a prediction.",
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A net whose costs are to be shown."""

    model: str
    """The name that the model is shown under."""
    batch: int
    """The batch size."""
    net: Net
    until: str | None = None
    """The layer or blob that the net was cut down to."""


def estimate_table(estimate: Estimate, *, markdown: bool = False) -> str:
    """A row for each layer, then the totals, the bounds in each power mode, and a legend.

    Shares are of the time that the peaks allow, which is what a user waits for; the
    multiply-accumulates stand beside them. What is not known is ``?``, what is nothing is
    left empty, and a sum that lacks a part has a ``≥``.
    """
    net = estimate.net
    total_ms = bound_ms(at_least(net), _MAXN) or 0.0
    rows = [_row(layer, total_ms) for layer in net.layers]
    if not markdown:
        rows = _fitted(rows)
    notes = [_totals(estimate), *_shared(net), *_unknown(net), *_LEGEND]
    if not markdown:
        notes = ["\n".join(textwrap.wrap(note, WIDTH, break_on_hyphens=False)) for note in notes]
    modes = [(peak.mode_name, *_bounds(net, peak)) for peak in TX2_PEAKS.values()]
    headers = ("Power mode", *(header for header, _, _ in _BOUNDS.values()))
    parts = [
        _laid_out(_HEADERS, rows, _TEXTS, markdown=markdown),
        notes[0],
        _laid_out(headers, modes, 1, markdown=markdown),
        ("\n\n" if markdown else "\n").join(notes[1:]),
    ]
    return "\n\n".join(parts) + "\n"


def estimate_csv(estimate: Estimate) -> str:
    """One line a layer, all numbers in full; an unknown one is empty."""
    buffer = io.StringIO()
    rows = estimate_to_json(estimate)["layers"]
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row, layer in zip(rows, estimate.net.layers, strict=True):
        words = {
            "name": inert(layer.name),
            "type": inert(layer.type),
            "tops": inert(" ".join(layer.tops)),
            "input_shapes": " ".join(map(shape_text, layer.bottom_shapes)),
            "output_shapes": " ".join(map(shape_text, layer.output_shapes)),
        }
        writer.writerow(row | words)
    return buffer.getvalue()


def estimate_to_json(estimate: Estimate) -> Json:
    """The document that ``jetbench estimate --format json`` prints.

    ``bound_ms`` and its kin go by the names of the power modes, those of a layer are of
    MAXN. What is not known is null; ``at_least`` has the same sums over all that is known.
    """
    net = estimate.net
    total_ms = bound_ms(at_least(net), _MAXN) or 0.0
    return {
        "model": estimate.model,
        "batch": estimate.batch,
        "phase": net.phase,
        "until": estimate.until,
        "input_shapes": {name: list(shape) for name, shape in net.input_shapes},
        **_sums(net),
        "statistics": net.statistics,
        "unknown_layers": list(net.unknown_layers),
        "at_least": _sums(at_least(net)),
        "layers": [_layer_to_json(layer, total_ms) for layer in net.layers],
    }


def _sums(net: Net) -> Json:
    return {
        "params": net.params,
        "macs": net.macs,
        "flops": None if net.macs is None else FLOP_A_MAC * net.macs,
        "weight_bytes": net.weight_bytes,
        "activation_bytes": net.activation_bytes,
    } | {
        key: {
            peak.mode_name: bound_ms(net, peak, precision=precision, fast=fast)
            for peak in TX2_PEAKS.values()
        }
        for key, (_, precision, fast) in _BOUNDS.items()
    }


def _layer_to_json(layer: Layer, total_ms: float) -> Json:
    time_ms = layer_bound_ms(layer, _MAXN)
    return {
        "name": layer.name,
        "type": layer.type,
        "tops": list(layer.tops),
        "input_shapes": [shape and list(shape) for shape in layer.bottom_shapes],
        "output_shapes": [shape and list(shape) for shape in layer.output_shapes],
        "params": layer.params,
        "shared_params": layer.shared_params,
        "statistics": layer.statistics,
        "macs": layer.macs,
        "fast_macs": layer.fast_macs,
        "weight_bytes": layer.weight_bytes,
        "activation_bytes": layer.activation_bytes,
        **{
            key: layer_bound_ms(layer, _MAXN, precision=precision, fast=fast)
            for key, (_, precision, fast) in _BOUNDS.items()
        },
        "limited_by": limit_of(layer, _MAXN),
        "share": time_ms / total_ms if time_ms is not None and total_ms else None,
    }


def _row(layer: Layer, total_ms: float) -> tuple[str, ...]:
    time_ms, more = layer_bound_ms(layer, _MAXN), len(layer.tops) - 1
    limit = _LIMITS[limit_of(layer, _MAXN)]
    return (
        printable(layer.name),
        printable(layer.type),
        "".join(map(shape_text, layer.output_shapes[:1])) + (f" +{more}" if more > 0 else ""),
        _shown(layer.params, _short),
        _shown(layer.macs, _short),
        _shown(time_ms, lambda ms: _tidy(ms, 3) + limit),
        _shown(time_ms, lambda ms: _tidy(100 * ms / total_ms, 1) + " %"),
    )


def _shown(number: float | None, show: Callable[[float], str]) -> str:
    """The number, nothing for 0, and a question mark for one that is not known."""
    if number is None:
        return "?"
    return show(number) if number else ""


def _tidy(number: float, digits: int) -> str:
    """So many digits behind the point, fewer of a large number, and never 0 for a small one."""
    least = 10**-digits
    if number < least / 2:
        return f"<{least}"
    return significant(number) if number >= _MANY else f"{number:.{digits}f}"


def _short(number: float) -> str:
    """Three figures: ``61.0 M``; below a thousand as it is."""
    unit = 0
    while number >= _ROUNDED_UP and unit < len(_UNITS) - 1:
        number, unit = number / _THOUSAND, unit + 1
    digits = max(0, 3 - len(f"{number:.0f}")) if unit else 0
    return f"{number:.{digits}f} {_UNITS[unit]}".rstrip()


def _bytes(number: float) -> str:
    shown = _short(number)
    return f"{shown}B" if shown[-1].isalpha() else f"{shown} B"


def _fitted(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows with long words cut, so that the table has at most 80 columns."""
    cut = [
        (name, _begin(kind, _TYPE_WIDTH), _begin(output, _OUTPUT_WIDTH), *numbers)
        for name, kind, output, *numbers in rows
    ]
    _, *others = _widths(_HEADERS, cut)
    room = max(WIDTH - sum(others) - GAP * len(others), _LEAST_NAME)
    return [(_end(name, room), *rest) for name, *rest in cut]


def _widths(headers: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(headers, *rows, strict=True)]


def _begin(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    while cell_len(text) >= width:
        text = text[:-1]
    return f"{text}…"


def _end(text: str, width: int) -> str:
    """The end of a layer's name tells more than its beginning: ``…n_3a/3x3_reduce``."""
    return _begin(text[::-1], width)[::-1]


def _laid_out(
    headers: Sequence[str], rows: Sequence[tuple[str, ...]], texts: int, *, markdown: bool
) -> str:
    """A table whose first columns are words, and the others numbers."""
    if markdown:
        return tabulate(
            [tuple(cell.replace("|", "\\|") for cell in row) for row in rows],
            headers,
            tablefmt="github",
            colalign=("left",) * texts + ("right",) * (len(headers) - texts),
            disable_numparse=True,
        )
    # By hand: tabulate counts letters, some of which are two columns wide, or none.
    widths = _widths(headers, rows)
    lines = []
    for row in (headers, ["-" * width for width in widths], *rows):
        blanks = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        words = [cell + blank for cell, blank in zip(row[:texts], blanks, strict=False)]
        numbers = [blank + cell for cell, blank in zip(row[texts:], blanks[texts:], strict=True)]
        lines.append((" " * GAP).join([*words, *numbers]).rstrip())
    return "\n".join(lines)


def _bounds(net: Net, peak: Peak) -> list[str]:
    """What the net takes at best in one power mode, in the order of the headers."""
    part = at_least(net)
    shown = []
    for _, precision, fast in _BOUNDS.values():
        whole_ms = bound_ms(net, peak, precision=precision, fast=fast)
        part_ms = bound_ms(part, peak, precision=precision, fast=fast) or 0.0
        shown.append(_sum(whole_ms, part_ms, lambda ms: f"{significant(ms)} ms"))
    return shown


def _sum(whole: float | None, part: float, show: Callable[[float], str]) -> str:
    """A sum, what it is at least where a part of it is not known, or ``?`` where all is."""
    if whole is not None:
        return show(whole)
    return f"≥ {show(part)}" if part else "?"


def _totals(estimate: Estimate) -> str:
    net, part = estimate.net, at_least(estimate.net)
    what = printable(estimate.model, _MODEL_WIDTH)
    if estimate.until is not None:
        what += f" up to {printable(estimate.until, _MODEL_WIDTH)}"
    params = _sum(net.params, part.params or 0, _short)
    macs = _sum(net.macs, part.macs or 0, _short)
    flops = _sum(net.macs, part.macs or 0, lambda macs: _short(FLOP_A_MAC * macs))
    weights = _sum(net.weight_bytes, part.weight_bytes or 0, _bytes)
    activations = _sum(net.activation_bytes, part.activation_bytes or 0, _bytes)
    return (
        f"{what}, batch {estimate.batch}, phase {net.phase}: "
        f"{params} parameters, {macs} MACs, {flops} FLOPs; {weights} of weights, "
        f"{activations} of activations read and written."
    )


def _shared(net: Net) -> list[str]:
    shared = sum(layer.shared_params for layer in net.layers)
    return [f"The sum counts once the {_short(shared)} parameters that are shared."] * bool(shared)


def _unknown(net: Net) -> list[str]:
    """A word on the layers where knowledge ends; what lies behind them is not known either."""
    ends = [
        f"{printable(layer.name)} ({printable(layer.type)})"
        for layer in net.layers
        if None not in layer.bottom_shapes
        and (None in layer.output_shapes or layer_bound_ms(layer, _MAXN) is None)
    ]
    if not ends:
        return []
    more = f" and {len(ends) - _MAX_NAMED} more" if len(ends) > _MAX_NAMED else ""
    named = ", ".join(ends[:_MAX_NAMED]) + more
    return [f"Not known: cost or output of {named}. ? is a number not known, ≥ a sum without it."]
