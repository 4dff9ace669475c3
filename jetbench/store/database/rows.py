"""A sweep's document as rows, and rows as a document."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any

from jetbench.analysis.comparable import case_digest, key_of
from jetbench.domain.errors import ResultError, StoreError
from jetbench.store.database.engine import REBUILD

if TYPE_CHECKING:
    from jetbench.domain.record import Record

Json = dict[str, Any]

DETAIL = ("layers", "trials")
"""The keys of a record that stand in `detail`."""
_LARGEST = 2**31 - 1
_LEVEL = 6


def pack(value: object) -> bytes:
    """JSON, packed. Lone surrogates, which no database takes as text, are escapes in it."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), _LEVEL)


def unpack(data: bytes) -> Any:  # noqa: ANN401 - what was packed
    """What `pack` was given.

    Raises:
        StoreError: Somebody has changed it.
    """
    try:
        return json.loads(zlib.decompress(data))
    except (zlib.error, ValueError) as error:
        raise StoreError("the history is damaged: a record is unreadable", hint=REBUILD) from error


def digest_of(document: object) -> str:
    """Of what a document says, however it was written."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def head_of(document: Json) -> Json:
    """A document without its records."""
    return {**document, "records": []}


def case_row(record: Record, source: str) -> Json:
    """The case of a record: its name, and everything in its key.

    Raises:
        ResultError: Its words or numbers are such as no database can keep.
    """
    key = key_of(record)
    mode = key.power_mode
    row = {
        "digest": case_digest(record),
        "board": key.board,
        "model": record.model,
        "model_sha256": key.model_sha256,
        "engine": key.engine,
        "batch": key.batch,
        "phase": key.phase,
        "stages": json.dumps(key.stages),
        "device": key.device,
        "power_mode_id": mode.id if mode else None,
        "power_mode_name": mode.name if mode else None,
        "clocks_locked": key.clocks_locked,
        "iterations": key.iterations,
        "simulated": key.simulated,
    }
    check_row(row, source)
    return row


def check_row(row: Json, source: str) -> None:
    """See that a database can keep the words and the numbers of a row.

    Raises:
        ResultError: It cannot.
    """
    for name, value in row.items():
        if isinstance(value, str) and not storable(value):
            raise ResultError(f"{source}: {name} has characters that no database can keep")
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise ResultError(f"{source}: {name} is {value}: larger than any database keeps")


def storable(text: str) -> bool:
    """Whether a text may stand in a column: PostgreSQL takes no zero byte, and UTF-8 only."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def record_row(record: Record, node: Json) -> Json:
    """What stands of a record in columns and packed; `node` is the record in its document."""
    forward_ms = record.forward_ms
    return {
        "status": record.status,
        "processes": forward_ms.n if forward_ms else 0,
        "forward_ms_mean": forward_ms.mean if forward_ms else None,
        "forward_ms_median": forward_ms.median if forward_ms else None,
        "forward_ms_stdev": forward_ms.stdev if forward_ms else None,
        "body": pack({key: value for key, value in node.items() if key not in DETAIL}),
        "detail": pack({key: node[key] for key in DETAIL if key in node}),
    }


def document_of(head: bytes, records: list[tuple[bytes, bytes]]) -> Json:
    """The document again, from its head and each record's body and detail."""
    document: Json = unpack(head)
    document["records"] = [{**unpack(body), **unpack(detail)} for body, detail in records]
    return document
