"""Kept sweeps, found by the words of a user and opened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.domain.errors import ResultError
from jetbench.domain.part import SWEEP_ID
from jetbench.formats.result_read import parse_result
from jetbench.formats.words import printable
from jetbench.store.names import named
from jetbench.store.sweep_folder import SECOND_LOOK

if TYPE_CHECKING:
    from jetbench.domain.kept import KeptSweep

MAX_RESULT_BYTES = 500_000_000
"""Of a result.json; a night of 20 boards and 40 models has 20 MB."""

_LATEST = re.compile(r"latest(?:~([0-9]{1,6}))?")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_BEGINNING = re.compile(r"[0-9]{4,8}(?:-[0-9a-f-]{0,13})?")
_MOST_TOLD = 5
_RESULT = "result.json"
_PLAN = "plan.json"
_WHAT = (
    "name a sweep's folder, a result.json, an id or its beginning, a day (2026-01-02), a "
    "baseline, latest or latest~1"
)


def find_begun(word: str, results: Path) -> Path | None:
    """The folder of a sweep that was begun here, finished or not; None where there is none.

    Raises:
        ResultError: ``latest`` or the beginning of an id is asked for, and it is none; or the
            file of the names cannot be read.
    """
    # Names that cannot be read are said here, and are not "no such sweep".
    named(word, results)
    try:
        path = locate(word, results)
    except ResultError:
        if _LATEST.fullmatch(word) or (
            _BEGINNING.fullmatch(word) and not SWEEP_ID.fullmatch(word)
        ):
            raise
        return None
    return path if _there(path / _PLAN) else None


def locate(word: str, results: Path) -> Path:
    """The folder or file of the sweep that a word of the command line means.

    Args:
        word: ``latest``, ``latest~N``, the name of a baseline, a path of a folder or a file, a
            sweep's id or its beginning, or a day (``2026-01-02``: its last sweep). Second looks
            have an id and a path only.
        results: The folder below which all but paths are looked for.

    Raises:
        ResultError: There is no such sweep, or there are several.
    """
    if found := _LATEST.fullmatch(word):
        return _latest(results, int(found[1] or 0))
    if sweep_id := named(word, results):
        return results / sweep_id
    if word and _there(Path(word)):
        return Path(word)
    # What has a slash is a path; an id must not lead out of the folder.
    is_id = bool(word) and Path(word).name == word
    if is_id and _there(results / word):
        return results / word
    if is_id and (begun := _begun_so(word, results)):
        return begun
    where = f", neither here nor below {results}" if is_id else ""
    raise ResultError(f"{printable(word)}: there is no such sweep{where}", hint=_WHAT)


def _begun_so(word: str, results: Path) -> Path | None:
    """The last sweep of a day, or the one whose id begins so."""
    day = _DAY.fullmatch(word)
    if not (day or _BEGINNING.fullmatch(word)) or not results.is_dir():
        return None
    start = f"{''.join(day.groups())}-" if day else word
    found = [folder for folder in first_looks(results) if folder.name.startswith(start)]
    if len(found) > 1 and not day:
        ids = ", ".join(folder.name for folder in found[:_MOST_TOLD])
        more = f" and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
        raise ResultError(
            f"{word}: {len(found)} sweeps begin so: {ids}{more}", hint="write more of its id"
        )
    return found[-1] if found else None


def sweeps_below(results: Path) -> list[Path]:
    """The folders of sweeps, the oldest first: an id begins with the time it was made at.

    Raises:
        ResultError: The folder cannot be read.
    """
    try:
        return sorted(
            (
                folder
                for folder in results.iterdir()
                if folder.name[:1] != "." and (_there(folder / _PLAN) or _there(folder / _RESULT))
            ),
            key=lambda folder: folder.name,
        )
    except FileNotFoundError:
        raise ResultError(
            f"{results}: there is no such folder", hint="name another with --results DIR"
        ) from None
    except OSError as error:
        raise ResultError(f"{results}: cannot be read: {error.strerror}") from error


def read_sweep(path: Path) -> KeptSweep:
    """The sweep of a folder, or of a file with a result.

    Raises:
        ResultError: It cannot be read; the message names the file.
    """
    text, source = result_text(path)
    return parse_result(text, source)


def result_text(path: Path) -> tuple[str, str]:
    """The document of a folder or a file, and the name of its file, for messages.

    Raises:
        ResultError: It cannot be read, or there is none yet.
    """
    if not path.is_dir():
        return _read(path), str(path)
    file = path / _RESULT
    if _there(file):
        return _read(file), str(file)
    if _there(path / _PLAN):
        raise ResultError(
            f"{path}: half-written: this sweep has a plan, but no {_RESULT}",
            hint=f"take it up with `jetbench run --resume {path.name}`, or name another, such as "
            "latest~1",
        )
    raise ResultError(f"{path}: no sweep's folder: it has no {_RESULT}", hint=_WHAT)


def _latest(results: Path, back: int) -> Path:
    """The newest but `back`. One that is half-written counts: it must not pass unnoticed."""
    folders = first_looks(results)
    if back >= len(folders):
        count = f"only {len(folders)}" if folders else "no"
        sweeps = "sweep" if len(folders) == 1 else "sweeps"
        raise ResultError(f"{results}: there are {count} {sweeps} here", hint=_WHAT)
    return folders[-1 - back]


def first_looks(results: Path) -> list[Path]:
    """The sweeps below a folder, without those that only looked again at another one."""
    return [folder for folder in sweeps_below(results) if not _there(folder / SECOND_LOOK)]


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # Too long for a name, or with a zero byte in it.
        return False


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_RESULT_BYTES + 1)
    except OSError as error:
        raise ResultError(f"{file}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_RESULT_BYTES:
        raise ResultError(f"{file}: over {MAX_RESULT_BYTES} bytes; is it the result of a sweep?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ResultError(f"{file}: not UTF-8; is it the result of a sweep?", hint=_WHAT) from None
