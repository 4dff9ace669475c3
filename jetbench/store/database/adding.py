"""How a sweep goes in: all of it or nothing, and once, however often it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from jetbench.domain.errors import ResultError
from jetbench.formats.result_read import document_node, sweep_of
from jetbench.store.database.rows import (
    case_row,
    check_row,
    digest_of,
    head_of,
    pack,
    record_row,
    storable,
)
from jetbench.store.database.tables import cases, names, parts, records, sweeps, tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Table

_AT_ONCE = 500
"""Keys in one condition: SQLite takes no more than some thousand."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SweepRows:
    """A sweep, ready to be written: nothing that takes time is done while others wait."""

    source: str
    sweep: Row
    boards: tuple[str, ...]
    cases: tuple[Row, ...]
    """One for each record."""
    records: tuple[Row, ...]


def rows_of(document: str, source: str) -> SweepRows:
    """A document as rows.

    Raises:
        ResultError: It is none, or holds what no database can keep.
    """
    node = document_node(document, source)
    sweep = sweep_of(node)
    row = {
        "sweep_id": sweep.id,
        "started_utc": sweep.started_utc,
        "finished_utc": sweep.finished_utc,
        "jetbench": sweep.jetbench,
        "simulated": sweep.simulated,
        "interrupted": sweep.interrupted,
        "second_look_of": sweep.second_look_of,
        "sha256": digest_of(node.value),
        "head": pack(head_of(node.object())),
    }
    check_row(row, source)
    case_rows = tuple(case_row(record, source) for record in sweep.records)
    boards = [*(board.name for board in sweep.boards), *(row["board"] for row in case_rows)]
    for board in boards:
        check_row({"board": board}, source)
    return SweepRows(
        source=source,
        sweep=row,
        boards=tuple(dict.fromkeys(boards)),
        cases=case_rows,
        records=tuple(
            record_row(record, of_record.object())
            for record, of_record in zip(sweep.records, node["records"].items(), strict=True)
        ),
    )


def put(
    connection: Connection,
    rows: SweepRows,
    tags_of: Mapping[str, Sequence[str]],
    baselines: Sequence[str],
    *,
    replace: bool,
) -> bool:
    """Write a sweep, unless it is there; whether anything was new.

    Raises:
        ResultError: Another one with its id is there, and is not to be replaced.
    """
    sweep_id = rows.sweep["sweep_id"]
    _take_turns(connection, sweep_id)
    for name in baselines:
        put_name(connection, name, sweep_id)
    query = select(sweeps.c.id, sweeps.c.sha256).where(sweeps.c.sweep_id == sweep_id)
    there = connection.execute(query).first()
    if there is not None:
        if there.sha256 == rows.sweep["sha256"]:
            return False
        if not replace:
            raise ResultError(
                f"{rows.source}: another sweep with its id, {sweep_id}, is in the history",
                hint="one of the two was changed; what is there stays",
            )
        connection.execute(delete(sweeps).where(sweeps.c.id == there.id))
    made = insert(sweeps).values(rows.sweep).returning(sweeps.c.id)
    number = connection.execute(made).scalar_one()
    part_of = _put_parts(connection, number, rows.boards, tags_of)
    case_of = _find_cases(connection, rows.cases)
    of_sweep = [
        {
            "sweep": number,
            "place": place,
            "part": part_of[case["board"]],
            "case": case_of[case["digest"]],
            **record,
        }
        for place, (case, record) in enumerate(zip(rows.cases, rows.records, strict=True))
    ]
    if of_sweep:
        connection.execute(insert(records), of_sweep)
    return True


def put_name(connection: Connection, name: str, sweep_id: str) -> None:
    """Make a sweep the baseline of that name."""
    statement = _insert(connection, names).values(name=name, sweep_id=sweep_id)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"sweep_id": sweep_id})
    )


def some_of(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """A few keys at a time, as many as a condition may have."""
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _take_turns(connection: Connection, sweep_id: str) -> None:
    """Let nobody else bring in the same sweep meanwhile. SQLite has one writer at a time."""
    if connection.dialect.name == "postgresql":
        lock = text("select pg_advisory_xact_lock(hashtextextended(:sweep, 0))")
        connection.execute(lock, {"sweep": sweep_id})


def _put_parts(
    connection: Connection,
    sweep: int,
    boards: Sequence[str],
    tags_of: Mapping[str, Sequence[str]],
) -> dict[str, int]:
    """A part for each board of a sweep: its number, by the board's name."""
    if not boards:
        return {}
    connection.execute(insert(parts), [{"sweep": sweep, "board": board} for board in boards])
    query = select(parts.c.board, parts.c.id).where(parts.c.sweep == sweep)
    part_of: dict[str, int] = {board: number for board, number in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy
    rows = [
        {"part": part_of[board], "tag": tag}
        for board, of_board in tags_of.items()
        if board in part_of
        for tag in dict.fromkeys(of_board)
        if storable(tag)
    ]
    if rows:
        connection.execute(insert(tags), rows)
    return part_of


def _find_cases(connection: Connection, rows: Sequence[Row]) -> dict[str, int]:
    """The number of each case, by its digest; those that are new are made."""
    of_digest = {row["digest"]: row for row in rows}
    found = _numbers(connection, list(of_digest))
    new = sorted(digest for digest in of_digest if digest not in found)
    if new:
        # Two programs may bring in the same new case: whoever is second finds it there.
        statement = _insert(connection, cases).on_conflict_do_nothing(index_elements=["digest"])
        connection.execute(statement, [of_digest[digest] for digest in new])
        found |= _numbers(connection, new)
    return found


def _numbers(connection: Connection, digests: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in some_of(digests):
        query = select(cases.c.digest, cases.c.id).where(cases.c.digest.in_(some))
        found |= {digest: number for digest, number in connection.execute(query)}  # noqa: C416 - as above
    return found


def _insert(connection: Connection, table: Table) -> Any:  # noqa: ANN401 - that of two dialects
    """An insert that knows what to do where the row is there already."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
