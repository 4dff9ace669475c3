"""Filters over everything that was ever measured, from words to values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jetbench.domain.errors import UsageError
from jetbench.domain.history import Wanted
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.record import Status

_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}(:[0-9]{2}(:[0-9]{2}Z?)?)?)?)?)?")
_STATUSES: tuple[Status, ...] = ("ok", "suspect", "failed", "lost")


def wanted_of(  # noqa: PLR0913 - all but the first two by name
    boards: Sequence[str] | None,
    models: Sequence[str] | None,
    *,
    since: str | None = None,
    until: str | None = None,
    statuses: Sequence[str] | None = None,
    real: bool | None = None,
    dashes: str = "--",
) -> Wanted:
    """What is asked for; a board that begins with @ is a tag.

    Args:
        boards: Names and tags; any of them.
        models: Names; any of them.
        since: Sweeps that began then or later: ``2026-01-02``, or ``2026-01-02T03:04``.
        until: Sweeps that began then or before.
        statuses: Any of ``ok``, ``suspect``, ``failed`` and ``lost``.
        real: Only measured (True), or only simulated (False).
        dashes: What stands before the name of an option in a message.

    Raises:
        UsageError: A date or a status is none.
    """
    boards = boards or ()
    return Wanted(
        boards=tuple(board for board in boards if not board.startswith("@")),
        tags=tuple(board[1:] for board in boards if board.startswith("@")),
        models=tuple(models or ()),
        since_utc=_date(since, f"{dashes}since"),
        until_utc=_date(until, f"{dashes}until"),
        statuses=tuple(_status(status, f"{dashes}status") for status in statuses or ()),
        simulated=None if real is None else not real,
    )


def _date(text: str | None, option: str) -> str | None:
    if text is None:
        return None
    if not _DATE.fullmatch(text):
        raise UsageError(
            f"{option} {printable(text, 40)!r} is no date", hint="2026-01-02, or 2026-01-02T03:04"
        )
    return text.replace(" ", "T")


def _status(text: str, option: str) -> Status:
    for status in _STATUSES:
        if text == status:
            return status
    raise UsageError(
        f"{option} {printable(text, 40)!r} is none", hint=f"it is one of {', '.join(_STATUSES)}"
    )
