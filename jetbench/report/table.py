"""Results as tables: for people (80 columns), as markdown, and as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from tabulate import MIN_PADDING, tabulate

from jetbench.formats.words import printable

if TYPE_CHECKING:
    from jetbench.domain.record import Record, SweepResult

WIDTH = 80
_MODEL_WIDTH = 24
_BOARD_WIDTH = 16
_MODE_WIDTH = 20
_REASON_WIDTH = 200
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
    "backward_ms_median",
    "gpu_temp_c_max",
    "bound_ms",
    "prototxt_sha256",
    "reasons",
)
_GLUE = "\N{NO-BREAK SPACE}"
"""Keeps `clocks locked` on one line while the table is laid out."""


def result_table(result: SweepResult, *, markdown: bool = False) -> str:
    """The table of a sweep: what, where, how long, how sure, under which conditions.

    The time is the median over the processes; behind it stands their standard deviation
    as a part of their mean. What is doubtful or missing is explained below the table.
    """
    batches = {record.batch for record in result.records} | {1}
    headers = ["Model", "Board", "Inference time", "Conditions"]
    rows = [
        [
            _cell(record.model, _MODEL_WIDTH, markdown=markdown),
            _cell(record.board, _BOARD_WIDTH, markdown=markdown),
            time_text(record),
            conditions_text(record).replace(" ", _GLUE).replace(f",{_GLUE}", ", "),
        ]
        for record in result.records
    ]
    if len(batches) > 1:
        headers.insert(1, "Batch")
        for row, record in zip(rows, result.records, strict=True):
            row.insert(1, str(record.batch))
    if markdown:
        table = tabulate(rows, headers, tablefmt="github", disable_numparse=True).replace(
            _GLUE, " "
        )
    else:
        room = WIDTH - 2 * (len(headers) - 1)
        taken = [
            max(len(header) + MIN_PADDING, *(cell_len(row[column]) for row in rows))
            for column, header in enumerate(headers[:-1])
        ]
        table = tabulate(
            rows,
            headers,
            tablefmt="simple",
            disable_numparse=True,
            maxcolwidths=[*(None for _ in taken), max(room - sum(taken), 20)],
        ).replace(_GLUE, " ")
    return "\n".join([table, *_below(result)])


def time_text(record: Record) -> str:
    """``12.94 ms ± 0.6 %``, or what there is instead."""
    summary = record.forward_ms
    if summary is None:
        return record.status
    text = f"{_significant(summary.median)} ms"
    if summary.spread is not None:
        text += f" ± {100 * summary.spread:.1f} %"
    return text if record.status == "ok" else f"{text} ?"


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
    if record.conditions.gpu_temp_c_max is not None:
        parts.append(f"{record.conditions.gpu_temp_c_max:.0f} °C")
    return ", ".join(parts)


def result_csv(result: SweepResult) -> str:
    """One line a record, all numbers in full; an unknown one is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    for record in result.records:
        forward, backward, mode = record.forward_ms, record.backward_ms, record.power_mode
        writer.writerow(
            [
                result.plan.sweep_id,
                record.board,
                _inert(record.model),
                record.batch,
                record.phase,
                record.iterations,
                (mode.name or mode.id) if mode else None,
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
                backward.median if backward else None,
                record.conditions.gpu_temp_c_max,
                record.bound_ms,
                record.prototxt_sha256,
                _inert("; ".join(record.reasons)),
            ]
        )
    return buffer.getvalue()


def _below(result: SweepResult) -> list[str]:
    lines: list[str] = []
    counts = {record.forward_ms.n for record in result.records if record.forward_ms}
    if counts:
        count = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
        # A single process has no spread, and then no ± stands in the table.
        processes, spread = ("processes", ", ± stdev") if max(counts) > 1 else ("process", "")
        iterations = result.plan.options.iterations
        lines = [
            "",
            f"Median forward time of {count} {processes} of {iterations} iterations{spread}.",
        ]
    if result.simulated and counts:
        lines += ["Simulated: these times were computed by virtual boards, not measured."]
    told = _told(result)
    return [*lines, "", *told] if told else lines


def _told(result: SweepResult) -> list[str]:
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
    for record in result.records:
        lines += [
            f"{record.board}, {printable(record.model, _MODEL_WIDTH)}: {record.status}: "
            f"{printable(reason, _REASON_WIDTH)}"
            for reason in record.reasons
            if reason != errors.get(record.board)
        ]
    return lines


def _significant(value: float) -> str:
    """Four significant figures, as the published table has them."""
    digits = max(0, 3 - len(str(int(abs(value)))) + 1) if abs(value) >= 1 else 4
    return f"{value:.{digits}f}"


def _cell(text: str, width: int, *, markdown: bool) -> str:
    shown = printable(text, width)
    # Some letters are two columns wide.
    if cell_len(shown) > width:
        shown = set_cell_size(shown, width - 1).rstrip() + "…"
    return shown.replace("|", "\\|") if markdown else shown


def _inert(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    shown = printable(text, _REASON_WIDTH)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown
