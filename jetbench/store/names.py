"""The names of baselines: ``names.json`` in the folder of the sweeps.

::

    {"schema": 1, "names": {"release-2": "20260102-030405-a1b2c3"}}
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jetbench.domain.errors import ResultError, StoreError, UsageError
from jetbench.formats.json_node import parse_json
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.formats.json_node import JsonNode

FILE = "names.json"
SCHEMA = 1

_LOCK = ".names.lock"
_MAX_BYTES = 10_000_000
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
_LATEST = re.compile(r"latest(~.*)?")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""Also of what others have measured, but no path: it must not lead out of the folder."""


def check_name(name: str) -> None:
    """See that a name is none that means something else.

    Raises:
        UsageError: It looks like an id, a date, a path or ``latest``.
    """
    if not _NAME.fullmatch(name) or _LATEST.fullmatch(name) or name.endswith((".json", ".")):
        raise UsageError(
            f"{printable(name, 80)!r} is no name for a baseline",
            hint="a letter, then letters, digits, '-', '_' and '.'; not latest, not NAME.json",
        )


def read_names(results: Path) -> dict[str, str]:
    """The id of the sweep that each name stands for; none where there is no file.

    Raises:
        ResultError: It was changed by hand, or a newer jetbench has written it.
    """
    file = results / FILE
    try:
        with file.open("rb") as stream:
            text = stream.read(_MAX_BYTES).decode()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{file}: cannot be read: {error}") from error
    document = parse_json(text, str(file))
    schema = document["schema"].value
    if isinstance(schema, int) and schema > SCHEMA:
        raise ResultError(f"{file}: written by a newer jetbench", hint="upgrade jetbench here")
    if schema != SCHEMA or isinstance(schema, bool):
        raise document["schema"].wrong(str(SCHEMA))
    # Without its names it would be written anew as if there had been none.
    document["names"].object()
    return {name: _id(node) for name, node in document["names"].entries()}


def set_name(results: Path, name: str, sweep_id: str | None) -> str | None:
    """Make a sweep the baseline of a name; None takes the name away.

    Returns:
        The id that it stood for.

    Raises:
        UsageError: The name means something else.
        ResultError: The file was changed by hand: it is left as it is.
        StoreError: It cannot be written.
    """
    check_name(name)
    with _locked(results):
        names = read_names(results)
        before = names.pop(name, None)
        if sweep_id is not None:
            names[name] = sweep_id
        _write(results / FILE, {"schema": SCHEMA, "names": dict(sorted(names.items()))})
    return before


def named(word: str, results: Path) -> str | None:
    """The id that a word stands for, if it is the name of a baseline.

    Raises:
        ResultError: The file of the names cannot be read.
    """
    if not _NAME.fullmatch(word):
        return None
    return read_names(results).get(word)


def names_of(results: Path, sweep_id: str) -> tuple[str, ...]:
    """The baselines that a sweep is.

    Raises:
        ResultError: The file of the names cannot be read.
    """
    return tuple(name for name, named_id in read_names(results).items() if named_id == sweep_id)


def _id(node: JsonNode) -> str:
    if not _ID.fullmatch(node.text()):
        raise node.wrong("the id of a sweep")
    return node.text()


@contextmanager
def _locked(results: Path) -> Iterator[None]:
    """Two programs that set names at once lose none."""
    try:
        file = os.open(results / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"{results}: cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            # Some network file systems know no locks.
            raise StoreError(f"{results}: cannot be locked: {error.strerror}") from error
        yield
    finally:
        os.close(file)


def _write(file: Path, document: dict[str, object]) -> None:
    fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(json.dumps(document, indent=1) + "\n")
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}") from error
