"""Two sweeps held against each other: as a table, and what stands below it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from tabulate import MIN_PADDING, tabulate

from jetbench.analysis.compare import COMPARED, SIGNIFICANCE, THRESHOLD
from jetbench.formats.words import printable
from jetbench.report.speeds import speed_text
from jetbench.report.table import GAP, WIDTH, significant

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from jetbench.analysis.compare import CaseComparison, Comparison, Verdict
    from jetbench.analysis.difference import LayerDifference
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import Record

ORDER: tuple[Verdict, ...] = (
    "slower",
    "faster",
    "same",
    "too few",
    "not comparable",
    "not measured",
)
"""In which the verdicts are counted."""

_COLOURS = {"slower": "\x1b[31m", "faster": "\x1b[32m", "too few": "\x1b[33m"}
_PLAIN = "\x1b[0m"
_LEAST_MODEL = 8
_BOARD_WIDTH = 16
_MODE_WIDTH = 8
_NAME_WIDTH = 60
_REASON_WIDTH = 200
_MOST_NAMES = 4
"""Of models that are told in one line."""
_GLUE = "\N{NO-BREAK SPACE}"


def comparison_table(
    comparison: Comparison,
    a: KeptSweep,
    b: KeptSweep,
    *,
    markdown: bool = False,
    colour: bool = False,
) -> str:
    """The table, and below it what the words in it mean and what may explain them.

    Args:
        comparison: Case by case.
        a: The first sweep.
        b: The second one.
        markdown: For a document, where lines may be long.
        colour: Whether the verdicts are coloured, for a terminal.
    """
    lines = [f"{side}: {_sweep(sweep)}" for side, sweep in (("A", a), ("B", b))]
    if markdown:
        lines = [f"{line}  " for line in lines]
    if comparison.cases:
        columns = _columns(comparison.cases, markdown=markdown, colour=colour)
        form = "github" if markdown else "simple"
        table = tabulate(columns, headers="keys", tablefmt=form, disable_numparse=True)
        lines += ["", table]
    lines += ["", *_below(comparison, "- " if markdown else "")]
    return "\n".join(lines) + "\n"


def _sweep(sweep: KeptSweep) -> str:
    text = printable(sweep.id, _NAME_WIDTH)
    parts = [text] if sweep.started_utc is None else [text, printable(sweep.started_utc)]
    parts += ["simulated"] if sweep.simulated else []
    parts += ["interrupted"] if sweep.interrupted else []
    return ", ".join(parts)


def _columns(
    cases: Sequence[CaseComparison], *, markdown: bool, colour: bool
) -> dict[str, list[str]]:
    """Header to cells. Model and board share what the others leave of a line."""
    columns = {
        "Model": [model_text(case.a) for case in cases],
        "Board": [printable(case.a.board) for case in cases],
        "Mode": [_mode(case.a) for case in cases],
        "A, ms": [_time(case.a) for case in cases],
        "B, ms": [_time(case.b) for case in cases],
        "B / A": ["-" if case.speed is None else speed_text(case.speed) for case in cases],
        "Verdict": [f"{case.verdict} ?" if case.suspect else case.verdict for case in cases],
    }
    if len(set(columns["Mode"])) == 1:
        del columns["Mode"]
    if markdown:
        return {name: [cell.replace("|", "\\|") for cell in columns[name]] for name in columns}
    if "Mode" in columns:
        columns["Mode"] = [_cut(mode, _MODE_WIDTH) for mode in columns["Mode"]]
    others = sum(_width(name, columns[name]) for name in columns if name not in {"Model", "Board"})
    room = WIDTH - others - GAP * (len(columns) - 1)
    wanted = _width("Board", columns["Board"])
    board = min(wanted, _BOARD_WIDTH, max(room // 3, len("Board") + MIN_PADDING))
    columns["Board"] = [_cut(name, board) for name in columns["Board"]]
    columns["Model"] = [_cut(name, max(room - board, _LEAST_MODEL)) for name in columns["Model"]]
    if colour:
        columns["Verdict"] = [_coloured(verdict) for verdict in columns["Verdict"]]
    return columns


def _width(header: str, cells: Sequence[str]) -> int:
    """How wide tabulate makes a column."""
    return max(len(header) + MIN_PADDING, *map(cell_len, cells))


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def _coloured(verdict: str) -> str:
    start = _COLOURS.get(verdict.removesuffix(" ?"))
    return f"{start}{verdict}{_PLAIN}" if start else verdict


def model_text(record: Record) -> str:
    """``vgg16``, or ``vgg16 x8`` for a batch of eight."""
    name = printable(record.model, _NAME_WIDTH)
    return name if record.batch == 1 else f"{name} x{record.batch}"


def _mode(record: Record) -> str:
    mode = record.power_mode
    return "-" if mode is None else printable(mode.name or f"mode {mode.id}")


def _time(record: Record) -> str:
    return record.status if record.forward_ms is None else significant(record.forward_ms.mean)


def _below(comparison: Comparison, bullet: str) -> Iterator[str]:
    """Everything but the table, in lines of 80 columns."""
    for paragraph in (*_meaning(comparison), *_sums(comparison)):
        yield from _wrapped(paragraph, indent="")
    told = [*_explained(comparison), *_reasons(comparison), *_alone(comparison)]
    if told:
        yield ""
    for line in told:
        yield from _wrapped(f"{bullet}{line}")


def _meaning(comparison: Comparison) -> Iterator[str]:
    if comparison.compared:
        yield (
            "B / A: mean forward time of B over that of A, ± 95 % confidence interval. Slower "
            f"and faster: by more than {100 * THRESHOLD:.0f} %, and Welch's test has p < "
            f"{SIGNIFICANCE}."
        )
    if any(record.batch != 1 for case in comparison.cases for record in (case.a, case.b)):
        yield "x8: at batch 8."
    if any(case.suspect for case in comparison.cases):
        yield "?: one of the two numbers is suspect, and so is the verdict."
    if any(record.simulated for case in comparison.cases for record in (case.a, case.b)):
        yield "Simulated: these times were computed by virtual boards, not measured."


def _sums(comparison: Comparison) -> Iterator[str]:
    counts = comparison.counts
    parts = [f"{counts[verdict]} {verdict}" for verdict in ORDER if verdict in counts]
    parts += [
        f"{len(records)} only in {side}"
        for side, records in (("A", comparison.only_a), ("B", comparison.only_b))
        if records
    ]
    yield f"Cases: {', '.join(parts) or 'none'}."
    if comparison.geometric_mean is not None:
        compared = sum(counts.get(verdict, 0) for verdict in COMPARED)
        yield (
            f"Overall B / A: {comparison.geometric_mean:.3f}, the geometric mean of "
            f"{compared} {'case' if compared == 1 else 'cases'}."
        )
    else:
        yield "Nothing could be compared."


def _explained(comparison: Comparison) -> Iterator[str]:
    """What became slower, or faster, and what has changed beside it."""
    for verdict in ORDER[:2]:
        groups: dict[Hashable, list[CaseComparison]] = {}
        for case in comparison.cases:
            if case.verdict == verdict:
                groups.setdefault((case.a.board, case.changed), []).append(case)
        for cases in groups.values():
            ratios = [case.speed.ratio for case in cases if case.speed is not None]
            ends = (f"{100 * (ratio - 1):+.1f}" for ratio in (min(ratios), max(ratios)))
            size = f"{' to '.join(dict.fromkeys(ends))} %"
            changed = ", ".join(
                difference.text.replace(" ", _GLUE) for difference in cases[0].changed
            )
            yield (
                f"{verdict}: {printable(cases[0].a.board, _NAME_WIDTH)}, {_names(cases)}: "
                f"{size.replace(' ', _GLUE)}; "
                + (f"changed: {changed}" if changed else "nothing else is known to have changed")
            )
    for case in comparison.cases:
        if case.layers:
            layers = ", ".join(map(_layer, case.layers))
            board = printable(case.a.board, _NAME_WIDTH)
            yield f"carried by: {board}, {model_text(case.a)}: {layers}"


def _layer(layer: LayerDifference) -> str:
    more = f"{layer.b_ms - layer.a_ms:+.3g} ms, {100 * layer.share:.0f} % of it"
    return f"{printable(layer.name, _NAME_WIDTH)} ({more.replace(' ', _GLUE)})"


def _names(cases: Sequence[CaseComparison]) -> str:
    names = [model_text(case.a).replace(" ", _GLUE) for case in cases]
    left = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {left} more" if left > 0 else "")


def _reasons(comparison: Comparison) -> Iterator[str]:
    """Why there is no verdict, or one that is in doubt."""
    for verdict in ORDER[3:]:
        groups: dict[Hashable, list[CaseComparison]] = {}
        for case in comparison.cases:
            if case.verdict == verdict:
                groups.setdefault((case.a.board, case.why), []).append(case)
        for (board, why), cases in (
            ((cases[0].a.board, cases[0].why), cases) for cases in groups.values()
        ):
            told = printable("; ".join(why), _REASON_WIDTH)
            yield f"{verdict}: {printable(board, _NAME_WIDTH)}, {_names(cases)}: {told}"
    for case in comparison.cases:
        for side, record in (("A", case.a), ("B", case.b)):
            if record.status == "suspect":
                told = printable("; ".join(record.reasons), _REASON_WIDTH) or "no reason given"
                board = printable(record.board, _NAME_WIDTH)
                yield f"suspect in {side}: {board}, {model_text(record)}: {told}"


def _alone(comparison: Comparison) -> Iterator[str]:
    for side, records in (("A", comparison.only_a), ("B", comparison.only_b)):
        boards: dict[str, list[str]] = {}
        for record in records:
            boards.setdefault(record.board, []).append(model_text(record).replace(" ", _GLUE))
        for board, models in boards.items():
            yield f"only in {side}: {printable(board, _NAME_WIDTH)}: {', '.join(models)}"


def _wrapped(text: str, indent: str = "  ") -> Iterator[str]:
    for line in textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False):
        yield line.replace(_GLUE, " ")
