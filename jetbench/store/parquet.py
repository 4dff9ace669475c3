"""Rows into a Parquet file, some thousand at a time: the one door of pyarrow."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from jetbench.domain.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from jetbench.formats.flat import Kind, Row

_AT_ONCE = 20_000


def write_parquet(file: Path, columns: Mapping[str, Kind], rows: Iterable[Row]) -> int:
    """Write rows; how many there were.

    Args:
        file: Where to; what is there is overwritten.
        columns: Their names and types, in order.
        rows: Each with these keys.

    Raises:
        UsageError: pyarrow is not installed.
        StoreError: The file cannot be written, or a value does not fit its column.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and half a second
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above
    except ImportError as error:
        raise UsageError(
            "Parquet files need pyarrow, which is not installed",
            hint="pip install 'jetbench[parquet]', or --format csv",
        ) from error

    types = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    waiting = iter(rows)
    count = 0
    try:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            while some := list(islice(waiting, _AT_ONCE)):
                count += len(some)
                plain = [{name: _plain(value) for name, value in row.items()} for row in some]
                writer.write_table(pa.Table.from_pylist(plain, schema=schema))
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror or error}") from error
    except (pa.ArrowException, OverflowError) as error:
        raise StoreError(f"{file}: a value does not fit its column: {error}") from error
    return count


def _plain(value: object) -> object:
    """Text that is UTF-8: half a surrogate pair becomes a mark."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
