"""The history of all sweeps, in a database: every record goes in once, and is found quickly."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from jetbench.domain.history import Night, Series, SweepLine
from jetbench.formats.json_node import JsonNode
from jetbench.formats.result_read import record_of, sweep_of
from jetbench.store.database.adding import put, put_name, rows_of, some_of
from jetbench.store.database.address import address_of, shown
from jetbench.store.database.engine import check_file, open_engine, transaction
from jetbench.store.database.rows import case_row, document_of, storable, unpack
from jetbench.store.database.schema import check, is_ready, prepare
from jetbench.store.database.tables import cases, names, records, sweeps
from jetbench.store.database.wanted import of_records, of_sweeps, with_such_a_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from jetbench.domain.history import Wanted
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import Record, Status

_NO_BOARDS = JsonNode({}, "the history")


@contextmanager
def open_history(url: str | None, results: Path, *, create: bool = False) -> Iterator[History]:
    """The history that a user means, made or brought up to date where it has to be.

    Args:
        url: As of ``--db``; None for the file beside the sweeps.
        results: The folder of the sweeps.
        create: Whether a file that is not there is made. Tables are, wherever there are none.

    Raises:
        UsageError: The URL is none.
        StoreError: It is not there, not ours, too new, locked, full, or cannot be reached.
    """
    address = address_of(url, results)
    check_file(address, create=create)
    engine = open_engine(address)
    try:
        name = shown(address)
        with transaction(engine) as connection:
            check(connection, name)
            ready = is_ready(connection)
        if not ready:
            with transaction(engine, write=True) as connection:
                prepare(connection, name)
        yield History(engine)
    finally:
        engine.dispose()


class History:
    """Every method is one transaction, and raises StoreError where the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        text: str,
        source: str,
        *,
        tags: Mapping[str, Sequence[str]] | None = None,
        names: Sequence[str] = (),
        replace: bool = True,
    ) -> bool:
        """Bring in a sweep: all of it, or nothing.

        Args:
            text: Its document, as ``jetbench run --format json`` prints it.
            source: Its file, for messages.
            tags: Those of its boards.
            names: The baselines that it is.
            replace: Whether it takes the place of one with its id that says something else, as
                a sweep does that was taken up again.

        Returns:
            Whether anything was new: False where exactly this sweep is in already.

        Raises:
            ResultError: It is no such document, or another one with its id is in.
        """
        sweep = rows_of(text, source)
        with transaction(self._engine, write=True) as connection:
            return put(connection, sweep, tags or {}, names, replace=replace)

    def remove(self, sweep_id: str) -> bool:
        """Take a sweep out; whether it was in."""
        if not storable(sweep_id):
            return False
        with transaction(self._engine, write=True) as connection:
            found = connection.execute(delete(sweeps).where(sweeps.c.sweep_id == sweep_id))
            return found.rowcount > 0

    def set_name(self, name: str, sweep_id: str | None) -> None:
        """Make a sweep the baseline of that name; None: there is no such baseline any more."""
        with transaction(self._engine, write=True) as connection:
            if sweep_id is None:
                connection.execute(delete(names).where(names.c.name == name))
            else:
                put_name(connection, name, sweep_id)

    def named(self, name: str) -> str | None:
        """The id of the sweep that is the baseline of that name."""
        if not storable(name):
            return None
        with transaction(self._engine) as connection:
            return connection.execute(
                select(names.c.sweep_id).where(names.c.name == name)
            ).scalar()

    def names(self) -> dict[str, str]:
        """The ids of all sweeps that are baselines, by their names."""
        with transaction(self._engine) as connection:
            found = connection.execute(select(names.c.name, names.c.sweep_id)).all()
        return {row.name: row.sweep_id for row in found}

    def ids(self) -> list[str]:
        """Of all sweeps, the oldest first; second looks among them."""
        with transaction(self._engine) as connection:
            query = select(sweeps.c.sweep_id).order_by(sweeps.c.started_utc, sweeps.c.sweep_id)
            return list(connection.execute(query).scalars())

    def sweeps(self, wanted: Wanted, *, limit: int | None = None) -> list[SweepLine]:
        """The sweeps with such records, the newest first; second looks are not among them."""
        query = (
            select(sweeps)
            .where(*of_sweeps(wanted), *with_such_a_record(wanted))
            .order_by(sweeps.c.started_utc.desc(), sweeps.c.sweep_id.desc())
            .limit(limit)
        )
        with transaction(self._engine) as connection:
            found = connection.execute(query).all()
            told = _told_of(connection, [row.id for row in found], wanted)
            named = _names_of(connection, [row.sweep_id for row in found])
        return [
            SweepLine(
                id=row.sweep_id,
                started_utc=row.started_utc,
                finished_utc=row.finished_utc,
                jetbench=row.jetbench,
                simulated=row.simulated,
                interrupted=row.interrupted,
                names=tuple(named.get(row.sweep_id, ())),
                boards=tuple(sorted({board for board, _, _ in told.get(row.id, ())})),
                models=tuple(sorted({model for _, model, _ in told.get(row.id, ())})),
                counts=_counts(told.get(row.id, {})),
            )
            for row in found
        ]

    def records(self, wanted: Wanted) -> Iterator[tuple[str, Record]]:
        """Each record with the id of its sweep, the oldest sweep first; one sweep in memory."""
        query = select(sweeps.c.id, sweeps.c.sweep_id).where(
            *of_sweeps(wanted), *with_such_a_record(wanted)
        )
        with transaction(self._engine) as connection:
            found = connection.execute(
                query.order_by(sweeps.c.started_utc, sweeps.c.sweep_id)
            ).all()
        for number, sweep_id in found:
            of_one = (
                select(records.c.body, records.c.detail)
                .join(cases, cases.c.id == records.c.case)
                .where(records.c.sweep == number, *of_records(wanted))
                .order_by(records.c.place)
            )
            with transaction(self._engine) as connection:
                rows = connection.execute(of_one).all()
            for body, detail in rows:
                yield sweep_id, _record({**unpack(body), **unpack(detail)}, sweep_id)

    def series(self, wanted: Wanted) -> list[Series]:
        """Each case over the nights: by model and board, the oldest night first."""
        query = (
            select(records.c.case, sweeps.c.sweep_id, sweeps.c.started_utc, records.c.body)
            .join(cases, cases.c.id == records.c.case)
            .join(sweeps, sweeps.c.id == records.c.sweep)
            .where(*of_sweeps(wanted), *of_records(wanted))
            .order_by(
                cases.c.model,
                cases.c.board,
                records.c.case,
                sweeps.c.started_utc,
                sweeps.c.sweep_id,
                records.c.place,
            )
        )
        found: dict[int, list[Night]] = {}
        with transaction(self._engine) as connection:
            for case, sweep_id, started_utc, body in connection.execute(query):
                night = Night(sweep_id, started_utc or "", _record(unpack(body), sweep_id))
                found.setdefault(case, []).append(night)
        return [
            Series(nights[0].record.board, nights[0].record.model, tuple(nights))
            for nights in found.values()
        ]

    def whole(self, night: Night) -> Record | None:
        """The record of a night with its layers and trials; None where it is gone meanwhile."""
        digest = case_row(night.record, night.sweep_id)["digest"]
        query = (
            select(records.c.body, records.c.detail)
            .join(sweeps, sweeps.c.id == records.c.sweep)
            .join(cases, cases.c.id == records.c.case)
            .where(sweeps.c.sweep_id == night.sweep_id, cases.c.digest == digest)
            .order_by(records.c.place)
        )
        with transaction(self._engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return _record({**unpack(row.body), **unpack(row.detail)}, night.sweep_id)

    def document(self, sweep_id: str) -> str | None:
        """A sweep's document, as JSON; None where it is not in."""
        found = self._document(sweep_id)
        return None if found is None else json.dumps(found)

    def sweep(self, sweep_id: str) -> KeptSweep | None:
        """A sweep; None where it is not in.

        Raises:
            ResultError: Somebody has changed what was kept.
        """
        found = self._document(sweep_id)
        return None if found is None else sweep_of(JsonNode(found, f"history: {sweep_id}"))

    def heads(self, wanted: Wanted) -> list[KeptSweep]:
        """The sweeps with such records, the oldest first, without any of their records.

        Second looks are not among them.

        Raises:
            ResultError: Somebody has changed what was kept.
        """
        query = (
            select(sweeps.c.sweep_id, sweeps.c.head)
            .where(*of_sweeps(wanted), *with_such_a_record(wanted))
            .order_by(sweeps.c.started_utc, sweeps.c.sweep_id)
        )
        with transaction(self._engine) as connection:
            found = connection.execute(query).all()
        return [
            sweep_of(JsonNode(document_of(row.head, []), f"history: {row.sweep_id}"))
            for row in found
        ]

    def _document(self, sweep_id: str) -> dict[str, Any] | None:
        if not storable(sweep_id):
            return None
        with transaction(self._engine) as connection:
            head = connection.execute(
                select(sweeps.c.id, sweeps.c.head).where(sweeps.c.sweep_id == sweep_id)
            ).first()
            if head is None:
                return None
            rows = connection.execute(
                select(records.c.body, records.c.detail)
                .where(records.c.sweep == head.id)
                .order_by(records.c.place)
            ).all()
        return document_of(head.head, [(body, detail) for body, detail in rows])


def _record(value: dict[str, Any], sweep_id: str) -> Record:
    return record_of(JsonNode(value, f"history: {sweep_id}"), _NO_BOARDS)


def _told_of(
    connection: Connection, numbers: Sequence[int], wanted: Wanted
) -> dict[int, dict[tuple[str, str, Status], int]]:
    """Board, model and status of the wanted records of some sweeps, and how many have them."""
    told: dict[int, dict[tuple[str, str, Status], int]] = {}
    for some in some_of(numbers):
        query = (
            select(records.c.sweep, cases.c.board, cases.c.model, records.c.status, func.count())
            .join(cases, cases.c.id == records.c.case)
            .where(records.c.sweep.in_(some), *of_records(wanted))
            .group_by(records.c.sweep, cases.c.board, cases.c.model, records.c.status)
        )
        for number, board, model, status, count in connection.execute(query):
            told.setdefault(number, {})[board, model, status] = count
    return told


def _counts(told: Mapping[tuple[str, str, Status], int]) -> dict[Status, int]:
    counts: dict[Status, int] = {}
    for (_, _, status), count in told.items():
        counts[status] = counts.get(status, 0) + count
    return counts


def _names_of(connection: Connection, sweep_ids: Sequence[str]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for some in some_of(sweep_ids):
        query = select(names).where(names.c.sweep_id.in_(some)).order_by(names.c.name)
        for name, sweep_id in connection.execute(query):
            named.setdefault(sweep_id, []).append(name)
    return named
