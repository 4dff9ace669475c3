"""What runs on the boards, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jetbench.bench.running import Looked
    from jetbench.domain.part import PartOnBoard

Json = dict[str, Any]

_HEADERS = ("Board", "Sweep", "Who", "Since (UTC)", "Trials", "Doing")


def status_text(looked: Sequence[Looked], sweep_id: str | None) -> str:
    """A table, a row for each sweep on each board, and what to do about what is odd.

    Args:
        looked: What was found.
        sweep_id: Only this one; None for all.
    """
    rows = [row for one in looked for row in _rows(one, sweep_id)]
    lines = [tabulate(rows, _HEADERS, tablefmt="simple", disable_numparse=True)]
    lines += [line for one in looked for line in _remarks(one, sweep_id)]
    return "\n".join(lines)


def status_json(looked: Sequence[Looked], sweep_id: str | None) -> str:
    """The document of ``jetbench status --format json``."""
    return json.dumps(status_to_json(looked, sweep_id), indent=1)


def status_to_json(looked: Sequence[Looked], sweep_id: str | None) -> Json:
    """For each board what it holds, null where it was not reached."""
    boards = {
        one.board.name: {
            "reached": one.status is not None,
            "error": one.error.message if one.error else None,
            "held_by": dict(one.status.held_by) if one.status and one.status.held_by else None,
            "left_behind": one.status.left_behind if one.status else None,
            "sweeps": [asdict(part) for part in one.parts_of(sweep_id)],
        }
        for one in looked
    }
    return {"schema": 1, "boards": boards}


def _rows(one: Looked, sweep_id: str | None) -> Iterator[tuple[str, ...]]:
    name = one.board.name
    if one.error is not None:
        yield (name, "", "", "", "", printable(one.error.message, 60))
        return
    parts = one.parts_of(sweep_id)
    yield from (_row(name, part) for part in parts)
    held = one.status.held_by if one.status else None
    if held is not None and not any(part.running for part in parts) and sweep_id is None:
        sweep = held.get("sweep", "").partition("~")[0]
        yield (name, sweep, held.get("who", "somebody"), _since(held), "", "in use")
    elif not parts:
        yield (name, "", "", "", "", "nothing")


def _row(name: str, part: PartOnBoard) -> tuple[str, ...]:
    failed = f", {part.failed} failed" if part.failed else ""
    return (
        name,
        part.sweep_id,
        part.who or "",
        _minute(part.since_utc or ""),
        f"{part.done}/{part.total}{failed}",
        _doing(part),
    )


def _doing(part: PartOnBoard) -> str:
    if not part.running:
        return f"ended: {part.end}" if part.end else "cut off"
    if part.end is not None:
        return "putting itself back"
    since = "" if part.doing_s is None else f" for {part.doing_s:.0f} s"
    return f"{part.doing}{since}" if part.doing else "between trials"


def _remarks(one: Looked, sweep_id: str | None) -> Iterator[str]:
    name, status = one.board.name, one.status
    if one.error is not None and one.error.hint:
        yield f"{name}: {printable(one.error.hint)}"
    kept = {part.sweep_id for part in one.parts_of(sweep_id) if not part.running}
    for sweep in sorted(kept):
        yield f"{name}: fetch what was measured with: jetbench attach {sweep}"
    if status is not None and status.left_behind and status.held_by is None:
        yield f"{name}: its power state was left behind: jetbench boards restore {name}"


def _since(held: Mapping[str, str]) -> str:
    return _minute(held.get("since", ""))


def _minute(utc: str) -> str:
    """``2026-01-02T03:04:05Z`` as ``01-02 03:04``: a sweep of last year is not looked for."""
    return utc[5:16].replace("T", " ")
