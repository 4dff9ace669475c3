"""What is wanted, as conditions of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, or_, select

from jetbench.store.database.rows import storable
from jetbench.store.database.tables import cases, records, sweeps, tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement

    from jetbench.domain.history import Wanted

_LAST = "\uffff"
"""Behind everything that stands in a time."""


def of_sweeps(wanted: Wanted) -> list[ColumnElement[bool]]:
    """The conditions on the sweep itself."""
    found: list[ColumnElement[bool]] = [sweeps.c.second_look_of.is_(None)]
    if wanted.since_utc is not None:
        found.append(sweeps.c.started_utc >= wanted.since_utc)
    if wanted.until_utc is not None:
        # The beginning of a time stands for all that begins so.
        found.append(sweeps.c.started_utc <= wanted.until_utc + _LAST)
    return found


def of_records(wanted: Wanted) -> list[ColumnElement[bool]]:
    """The conditions on a record, in a query that joins its case."""
    found: list[ColumnElement[bool]] = []
    places: list[ColumnElement[bool]] = []
    if wanted.boards:
        places.append(cases.c.board.in_(_kept(wanted.boards)))
    if wanted.tags:
        places.append(
            exists(
                select(tags.c.part).where(
                    and_(tags.c.part == records.c.part, tags.c.tag.in_(_kept(wanted.tags)))
                )
            )
        )
    if places:
        # As with --board of `run`: a board or a tag, either will do.
        found.append(or_(*places))
    if wanted.models:
        found.append(cases.c.model.in_(_kept(wanted.models)))
    if wanted.statuses:
        found.append(records.c.status.in_(wanted.statuses))
    if wanted.simulated is not None:
        found.append(cases.c.simulated == wanted.simulated)
    return found


def with_such_a_record(wanted: Wanted) -> list[ColumnElement[bool]]:
    """The condition on a sweep that it has such a record; none where every sweep will do."""
    of_each = of_records(wanted)
    if not of_each:
        return []
    such = (
        select(records.c.place)
        .join(cases, cases.c.id == records.c.case)
        .where(records.c.sweep == sweeps.c.id, *of_each)
    )
    return [exists(such)]


def _kept(words: Iterable[str]) -> list[str]:
    """Those that can be in a database at all."""
    return [word for word in words if storable(word)]
