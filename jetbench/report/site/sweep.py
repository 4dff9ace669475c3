"""The page of a sweep: the table, each verdict with its evidence, raw logs; and their list."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from jetbench.analysis.comparable import case_id
from jetbench.formats.words import printable
from jetbench.report.gate import gate_text
from jetbench.report.site.cases import status_text
from jetbench.report.site.links import board_page, log_link, model_page, sweep_page
from jetbench.report.site.rows import time_cells
from jetbench.report.table import conditions_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jetbench.domain.kept import KeptBoard, KeptSweep
    from jetbench.domain.material import KeptLog
    from jetbench.domain.record import Record
    from jetbench.report.site.overview import Overview

Json = dict[str, Any]

_NAME = 80
_WORDS = 400
_COMMAND = 1000
_STATUSES = ("ok", "suspect", "failed", "lost")


def context(overview: Overview, place: int) -> Json:
    """What the template of a sweep wants."""
    material = overview.material
    sweep = material.sweeps[place]
    records = material.records.get(sweep.id, ())
    gate = material.gates.get(sweep.id)
    kept = material.logs.get(sweep.id, ())
    logs = _by_case(kept)
    errors = {one.name: one.error for one in sweep.boards}
    ids = [one.id for one in material.sweeps[max(place - 1, 0) : place + 2]]
    at = ids.index(sweep.id)
    rows = [_row(sweep.id, record, logs, errors.get(record.board)) for record in records]
    return {
        "id": printable(sweep.id, _NAME),
        "summary": _summary(sweep, records),
        "facts": list(_facts(sweep, material.names.get(sweep.id, ()))),
        "before": sweep_page(ids[at - 1]) if at else "",
        "after": sweep_page(ids[at + 1]) if at + 1 < len(ids) else "",
        "gate": gate_text(gate) if gate else "",
        "board_problems": [one for board in sweep.boards for one in _problems(board)],
        "outliers": [printable(one.evidence, _WORDS) for one in sweep.fleet],
        "rows": [
            {**row, "anchor": anchor} for row, anchor in zip(rows, _anchors(records), strict=True)
        ],
        "logs_here": bool(kept),
    }


def list_context(overview: Overview) -> Json:
    """What the template of all sweeps wants."""
    return {"sweeps": [_line(overview, one) for one in reversed(overview.material.sweeps)]}


def _line(overview: Overview, sweep: KeptSweep) -> Json:
    material = overview.material
    records = material.records.get(sweep.id, ())
    gate = material.gates.get(sweep.id)
    remarks = [
        "interrupted" if sweep.interrupted else "",
        "simulated" if sweep.simulated else "",
        "raw logs" if sweep.id in material.logs else "",
    ]
    return {
        "began": printable((sweep.started_utc or "")[:16].replace("T", " "), 16),
        "id": printable(sweep.id, _NAME),
        "link": sweep_page(sweep.id),
        "names": ", ".join(printable(name, _NAME) for name in material.names.get(sweep.id, ())),
        "boards": len({record.board for record in records}),
        "cases": len(records),
        "counts": _counts(records),
        "gate": gate.verdict if gate else "",
        "remarks": ", ".join(remark for remark in remarks if remark),
    }


def _counts(records: Sequence[Record]) -> dict[str, int]:
    return {status: sum(one.status == status for one in records) for status in _STATUSES}


def _summary(sweep: KeptSweep, records: Sequence[Record]) -> str:
    told = [f"{count} {status}" for status, count in _counts(records).items() if count]
    interrupted = "; it was interrupted" if sweep.interrupted else ""
    return f"{len(records)} cases: {', '.join(told) or 'none'}{interrupted}."


def _facts(sweep: KeptSweep, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word, value in (
        ("Began", sweep.started_utc),
        ("Ended", sweep.finished_utc),
        ("Baseline", ", ".join(names)),
        ("Boards", ", ".join(board.name for board in sweep.boards)),
        ("jetbench", sweep.jetbench),
        ("Command", shlex.join(sweep.command)),
    ):
        if value:
            yield word, printable(value, _COMMAND)


def _problems(board: KeptBoard) -> Iterator[Json]:
    about = {"name": printable(board.name, _NAME), "link": board_page(board.name)}
    if board.error is not None:
        hint = printable(board.hint, _WORDS) if board.hint else ""
        yield {**about, "why": printable(board.error, _WORDS), "hint": hint}
    if board.changed and board.restored is False:
        hint = f"jetbench boards restore {printable(board.name, _NAME)}"
        yield {**about, "why": "its power mode and clocks were NOT put back", "hint": hint}


def _by_case(logs: Sequence[KeptLog]) -> dict[tuple[str, str, int], list[KeptLog]]:
    found: dict[tuple[str, str, int], list[KeptLog]] = {}
    for log in logs:
        found.setdefault((log.board, log.model, log.batch), []).append(log)
    return found


def _anchors(records: Sequence[Record]) -> Iterator[str]:
    """Of each row: lost cases that do not know their power mode may look the same."""
    seen: Counter[str] = Counter()
    for record in records:
        anchor = f"case-{case_id(record)}"
        seen[anchor] += 1
        yield anchor if seen[anchor] == 1 else f"{anchor}-{seen[anchor]}"


def _row(
    sweep_id: str,
    record: Record,
    logs: Mapping[tuple[str, str, int], Sequence[KeptLog]],
    error: str | None,
) -> Json:
    advice = {finding.evidence: finding.advice for finding in record.findings}
    mode = record.power_mode
    modes = {str(mode.id), mode.name} if mode else set()
    of_case = logs.get((record.board, record.model, record.batch), ())
    several = len({log.power_mode for log in of_case}) > 1
    return {
        "model": printable(record.model, _NAME),
        "model_link": model_page(record.model),
        "board": printable(record.board, _NAME),
        "board_link": board_page(record.board),
        **time_cells(record),
        "conditions": conditions_text(record),
        "status": record.status,
        "status_text": status_text(record),
        "evidence": [
            (printable(why, _WORDS), printable(advice.get(why) or "", _WORDS))
            for why in record.reasons
            if why != error
        ],
        "logs": [
            (log.repeat, log_link(sweep_id, log.board, log.trial))
            for log in of_case
            if not several or log.power_mode in modes
        ],
    }
