"""Results as tables: for people (80 columns), as markdown, and as CSV."""

from __future__ import annotations

import csv
import io
import textwrap
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from tabulate import MIN_PADDING, tabulate

from jetbench.formats.words import printable
from jetbench.report.fleet import fleet_lines
from jetbench.report.power import power_lines
from jetbench.report.speeds import speed_lines

if TYPE_CHECKING:
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import Record

WIDTH = 80
_MODEL_WIDTH = 24
_LEAST_MODEL = 6
_BOARD_WIDTH = 16
_MODE_WIDTH = 20
GAP = 2
"""Between two columns."""
_LEAST_CONDITIONS = 20
_TENTH = 0.1
_PEAK_LEGEND = "Peak: what a TX2's peaks allow (direct arithmetic), as a part of the median"
_REASON_WIDTH = 300
_HINT_WIDTH = 1000
"""A command that is cut off helps nobody."""
_CSV_COLUMNS = (
    "sweep",
    "board",
    "model",
    "batch",
    "phase",
    "iterations",
    "power_mode",
    "clocks_locked",
    "gpu",
    "simulated",
    "status",
    "n",
    "forward_ms_median",
    "forward_ms_mean",
    "forward_ms_min",
    "forward_ms_max",
    "forward_ms_stdev",
    "forward_ms_ci95_low",
    "forward_ms_ci95_high",
    "backward_ms_median",
    "gpu_temp_c_max",
    "power_w_mean",
    "power_w_max",
    "power_w_idle",
    "energy_j_iteration",
    "bound_ms",
    "prototxt_sha256",
    "reasons",
)
_GLUE = "\N{NO-BREAK SPACE}"
"""Keeps `clocks locked` on one line while the table is laid out."""


def result_table(result: KeptSweep, *, markdown: bool = False) -> str:
    """The table of a sweep: what, where, how long, how sure, under which conditions.

    The time is the median over the processes; behind it stands their standard deviation
    as a part of their mean, and then what the board's peaks account for. Where that column
    would make the table too wide, it is told below the table, as is all that is doubtful or
    missing.
    """
    columns = _columns(result, markdown=markdown)
    peak: tuple[str, ...] = ()
    if not any(efficiency_text(record) for record in result.records):
        del columns["Peak"]
    elif markdown or sum(_widths(columns)) + GAP * (len(columns) - 1) <= WIDTH:
        peak = (f"{_PEAK_LEGEND}.",)
    else:
        del columns["Peak"]
        peak = _efficiencies(result)
    return "\n".join([_laid_out(columns, markdown=markdown), *_below(result, peak)])


def _columns(result: KeptSweep, *, markdown: bool) -> dict[str, list[str]]:
    """Header to cells, a cell for each record."""
    records = result.records
    columns = {
        "Model": [_model(record, markdown=markdown) for record in records],
        "Batch": [str(record.batch) for record in records],
        "Board": [cell(record.board, _BOARD_WIDTH, markdown=markdown) for record in records],
        "Inference time": [time_text(record) for record in records],
        "Peak": [efficiency_text(record) or "-" for record in records],
        "Conditions": [
            conditions_text(record).replace(" ", _GLUE).replace(f",{_GLUE}", ", ")
            for record in records
        ],
    }
    if not any(record.batch != 1 for record in records):
        del columns["Batch"]
    return columns


def _laid_out(columns: dict[str, list[str]], *, markdown: bool) -> str:
    rows = list(zip(*columns.values(), strict=True))
    if markdown:
        table = tabulate(rows, list(columns), tablefmt="github", disable_numparse=True)
    else:
        *others, _ = _widths(columns)
        room = WIDTH - GAP * len(others) - sum(others)
        table = tabulate(
            rows,
            list(columns),
            tablefmt="simple",
            disable_numparse=True,
            maxcolwidths=[*(None for _ in others), max(room, _LEAST_CONDITIONS)],
        )
    return table.replace(_GLUE, " ")


def _widths(columns: dict[str, list[str]]) -> list[int]:
    """How wide tabulate makes each column, if nothing is wrapped."""
    return [
        max(len(header) + MIN_PADDING, *map(cell_len, cells)) if cells else len(header)
        for header, cells in columns.items()
    ]


def time_text(record: Record) -> str:
    """``12.94 ms ± 0.6 %``, or what there is instead."""
    summary = record.forward_ms
    if summary is None:
        return record.status
    text = f"{significant(summary.median)} ms"
    if summary.spread is not None:
        text += f" ± {100 * summary.spread:.1f} %"
    return text if record.status == "ok" else f"{text} ?"


def efficiency_text(record: Record) -> str | None:
    """``47 %``: what the peaks allow at best, by direct arithmetic, as a part of the median.

    None where the bound or the time is not known.
    """
    if record.bound_ms is None or record.forward_ms is None:
        return None
    return _percent(record.bound_ms / record.forward_ms.median)


def _percent(part: float) -> str:
    return f"{100 * part:.{0 if part >= _TENTH else 1}f} %"


def conditions_text(record: Record) -> str:
    """``MAXN, clocks locked, 52 °C``: what the board said, nothing else."""
    if record.forward_ms is None:
        return "-"
    mode = record.power_mode
    parts = ["simulated"] if record.simulated else []
    parts.append(
        "power mode unknown"
        if mode is None
        else printable(mode.name or f"mode {mode.id}", _MODE_WIDTH)
    )
    parts.append(
        {True: "clocks locked", False: "clocks free", None: "clocks unknown"}[record.clocks_locked]
    )
    if record.gpu is None:
        parts.append("CPU")
    if record.phase != "TEST":
        parts.append(f"phase {record.phase}")
    parts += [f"stage {stage}" for stage in record.stages]
    if record.conditions.gpu_temp_c_max is not None:
        parts.append(f"{record.conditions.gpu_temp_c_max:.0f} °C")
    return ", ".join(parts)


def result_csv(result: KeptSweep) -> str:
    """One line a record, all numbers in full; an unknown one is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    for record in result.records:
        forward, backward, mode = record.forward_ms, record.backward_ms, record.power_mode
        writer.writerow(
            [
                result.id,
                record.board,
                inert(record.model),
                record.batch,
                record.phase,
                record.iterations,
                inert(mode.name or str(mode.id)) if mode else None,
                record.clocks_locked,
                "none" if record.gpu is None else record.gpu,
                record.simulated,
                record.status,
                forward.n if forward else None,
                forward.median if forward else None,
                forward.mean if forward else None,
                forward.min if forward else None,
                forward.max if forward else None,
                forward.stdev if forward else None,
                *(forward.ci95 if forward and forward.ci95 else (None, None)),
                backward.median if backward else None,
                record.conditions.gpu_temp_c_max,
                record.conditions.power_w_mean,
                record.conditions.power_w_max,
                record.conditions.power_w_idle,
                record.conditions.energy_j_iteration,
                record.bound_ms,
                record.prototxt_sha256,
                inert("; ".join(record.reasons)),
            ]
        )
    return buffer.getvalue()


def _efficiencies(result: KeptSweep) -> tuple[str, ...]:
    """The column that did not fit, as lines: each case once, over all boards."""
    parts: dict[str, list[float]] = {}
    for record in result.records:
        if record.bound_ms is not None and record.forward_ms is not None:
            name = _model(record, markdown=False)
            case = f"{name} batch {record.batch}" if record.batch != 1 else name
            parts.setdefault(case, []).append(record.bound_ms / record.forward_ms.median)
    shown = ", ".join(
        f"{case} {_range(values)}".replace(" ", _GLUE) for case, values in parts.items()
    )
    told = textwrap.wrap(f"{_PEAK_LEGEND}: {shown}.", WIDTH, break_on_hyphens=False)
    return tuple(line.replace(_GLUE, " ") for line in told)


def _range(values: list[float]) -> str:
    """``47 %``, or ``45 % to 48 %`` where the boards differ."""
    return " to ".join(dict.fromkeys(map(_percent, (min(values), max(values)))))


def _below(result: KeptSweep, peak: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    counts = {record.forward_ms.n for record in result.records if record.forward_ms}
    if counts:
        count = _range_of(counts)
        # A single process has no spread, and then no ± stands in the table.
        processes, spread = ("processes", ", ± stdev") if max(counts) > 1 else ("process", "")
        iterations = _range_of({record.iterations for record in result.records})
        lines = [
            "",
            f"Median forward time of {count} {processes} of {iterations} iterations{spread}.",
            *peak,
            *speed_lines(result.records, WIDTH),
            *fleet_lines(result.fleet, WIDTH),
            *power_lines(result.records),
        ]
    if result.simulated and counts:
        lines += ["Simulated: these times were computed by virtual boards, not measured."]
    told = _told(result)
    return [*lines, "", *told] if told else lines


def _range_of(numbers: set[int]) -> str:
    return " to ".join(map(str, dict.fromkeys((min(numbers), max(numbers)))))


def _told(result: KeptSweep) -> list[str]:
    """Everything that is wrong, each thing once: first the boards', then the cases'."""
    lines = []
    errors = {}
    for board in result.boards:
        if board.error is not None:
            errors[board.name] = board.error
            lines.append(f"{board.name}: {printable(board.error, _HINT_WIDTH)}")
            if board.hint:
                lines.append(f"  → {printable(board.hint, _HINT_WIDTH)}")
        if board.changed and board.restored is False:
            lines.append(f"{board.name}: its power mode and clocks were NOT put back")
            lines.append(
                f"  → `jetbench boards restore {board.name}` does it, or says what is wrong"
            )
    for record in result.records:
        advice = {finding.evidence: finding.advice for finding in record.findings}
        for reason in record.reasons:
            if reason == errors.get(record.board):
                continue
            what = f"{record.board}, {_model(record, markdown=False)}: {record.status}"
            lines.append(f"{what}: {printable(reason, _REASON_WIDTH)}")
            if reason in advice:
                lines.append(f"  → {printable(advice[reason], _REASON_WIDTH)}")
    return lines


def significant(value: float) -> str:
    """Four significant figures, as the published table has them."""
    digits = max(0, 3 - len(str(int(abs(value)))) + 1) if abs(value) >= 1 else 4
    return f"{value:.{digits}f}"


def _model(record: Record, *, markdown: bool) -> str:
    """The model's name; where it is too long, its shape is kept, which tells cases apart."""
    net, sign, shape = printable(record.model).partition("@")
    room = _MODEL_WIDTH - len(sign + shape)
    if len(net) > room >= _LEAST_MODEL:
        net = f"{net[: room - 1]}…"
    return cell(net + sign + shape, _MODEL_WIDTH, markdown=markdown)


def cell(text: str, width: int, *, markdown: bool) -> str:
    """A text for a table, cut to so many columns, safe for a terminal and for markdown."""
    shown = printable(text, width)
    # Some letters are two columns wide.
    if cell_len(shown) > width:
        shown = set_cell_size(shown, width - 1).rstrip() + "…"
    return shown.replace("|", "\\|") if markdown else shown


def inert(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    shown = printable(text, _REASON_WIDTH)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown
