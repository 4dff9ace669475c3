"""Records and trials as DataFrames of pandas: the one door to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from jetbench.domain.errors import UsageError
from jetbench.formats.flat import RECORD_COLUMNS, TRIAL_COLUMNS, record_row, trial_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from jetbench.domain.record import Record

_TYPES = {"text": "string", "whole": "Int64", "number": "float64", "flag": "boolean"}
"""By the kind of a column; each has a value for what is not known."""


def records_frame(
    records: Iterable[tuple[str, Record]], started_utc: Mapping[str, str | None], *, trials: bool
) -> pd.DataFrame:
    """A row a record, or with `trials` a row a process.

    Args:
        records: Each with the id of its sweep.
        started_utc: When each sweep began, ISO 8601.
        trials: A row a process instead.

    Returns:
        The columns of `jetbench results export` (docs/reference/results.md), and
        ``sweep_started`` behind the first. Times in ms are floats, moments are UTC; what is not
        known is NaN, NA or NaT.

    Raises:
        UsageError: pandas is not installed.
    """
    pandas = _pandas()
    columns = TRIAL_COLUMNS if trials else RECORD_COLUMNS
    rows: list[dict[str, Any]] = []
    for sweep_id, record in records:
        rows += trial_rows(sweep_id, record) if trials else [record_row(sweep_id, record)]
    frame = pandas.DataFrame(rows, columns=list(columns))
    frame = frame.astype({name: _TYPES[kind] for name, kind in columns.items()})
    began = [started_utc.get(row["sweep"]) for row in rows]
    frame.insert(1, "sweep_started", pandas.to_datetime(began, utc=True, errors="coerce"))
    if trials:
        # By the board's clock, which may be wrong, and may say anything.
        frame["started_utc"] = pandas.to_datetime(frame["started_utc"], utc=True, errors="coerce")
    return cast("pd.DataFrame", frame)


def _pandas() -> Any:  # noqa: ANN401 - a module
    try:
        import pandas  # noqa: ICN001, PLC0415 - an extra, and half a second
    except ImportError as error:
        raise UsageError(
            "a DataFrame needs pandas, which is not installed",
            hint="pip install 'jetbench[pandas]'",
        ) from error
    return pandas
