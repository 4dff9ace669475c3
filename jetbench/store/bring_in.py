"""Sweeps of others, brought into the folder of ours: folders, archives of them, bare results.

What comes from elsewhere is hostile: sizes are bounded, only plain files are taken, none leads
out of its folder, and a sweep is here whole or not at all.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from jetbench.domain.errors import ResultError, StoreError
from jetbench.formats.result_read import parse_result
from jetbench.formats.words import printable
from jetbench.store.results import result_text, sweeps_below

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 8 * 2**30
"""Of one archive, unpacked."""
MAX_FILES = 200_000

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz"})
_BLOCK = 1 << 20
_DEEPEST = 4
"""SWEEP/models/BOARD/N.prototxt."""
_WHAT = "name a sweep's folder, a folder of sweeps, an archive (.tar.gz, .zip) or a result.json"


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """A sweep that was found in what was named."""

    folder: Path
    """Where it is now, or where it was found."""
    new: bool = False
    """False where exactly this one was here already."""
    error: ResultError | None = None
    """Why it was not brought in; the others of an archive are no worse for it."""


def bring_in(path: Path, results: Path) -> Iterator[BroughtIn]:
    """Copy each sweep that is in a folder, an archive or a file below `results`.

    A sweep that is below `results` already is left where it is.

    Raises:
        ResultError: There is none in it, or it cannot be read.
        StoreError: This machine's disk does not take it.
    """
    if not path.exists():
        raise ResultError(f"{printable(str(path))}: there is no such file or folder", hint=_WHAT)
    with _staging(results) as staging:
        for folder in _found(path, staging):
            try:
                yield _settled(folder, results, staging)
            except ResultError as error:  # noqa: PERF203 - the others are no worse for it
                yield BroughtIn(folder, error=error)


def _found(path: Path, staging: Path) -> list[Path]:
    """The folders of sweeps, or the file of one, in what was named."""
    if path.is_dir():
        return _sweeps_in(path, path)
    if tarfile.is_tarfile(path) or zipfile.is_zipfile(path):
        unpacked = staging / "archive"
        unpacked.mkdir()
        _unpack(path, unpacked)
        return _sweeps_in(unpacked, path)
    if path.suffix in _ARCHIVES:
        raise ResultError(
            f"{printable(str(path))}: a damaged archive, or none",
            hint="get it again: was it sent in full?",
        )
    return [path]


def _sweeps_in(folder: Path, named: Path) -> list[Path]:
    """Itself, those in it, or those in the one folder that is in it, as archives have it."""
    for place in (folder, *sorted(each for each in folder.iterdir() if each.is_dir())):
        if (place / "result.json").is_file():
            return [place] if place == folder else _finished(folder)
        if found := _finished(place):
            return found
    raise ResultError(f"{printable(str(named))}: no finished sweep is in it", hint=_WHAT)


def _finished(folder: Path) -> list[Path]:
    return [each for each in sweeps_below(folder) if (each / "result.json").is_file()]


def _settled(found: Path, results: Path, staging: Path) -> BroughtIn:
    """Give a sweep its place; what has one keeps it."""
    text, source = result_text(found)
    sweep_id = parse_result(text, source).id
    if not _ID.fullmatch(sweep_id):
        raise ResultError(f"{printable(source)}: {printable(sweep_id, 80)} is no sweep's id")
    place = results / sweep_id
    if found.is_dir() and place.exists() and place.samefile(found):
        return BroughtIn(place)
    if place.exists():
        if _same(place, text):
            return BroughtIn(place)
        raise ResultError(
            f"{printable(str(found))}: another sweep with its id is here: {place}",
            hint="one of the two was changed; move the one that is here away to take this one",
        )
    fresh = staging / sweep_id
    try:
        fresh.mkdir(mode=0o700)
        if found.is_dir():
            _copy(found, fresh)
        else:
            _write(fresh / "result.json", text.encode())
        fresh.rename(place)
    except OSError as error:
        raise StoreError(
            f"{place} cannot be written: {error.strerror}",
            hint="free some space, or choose another place with --results DIR",
        ) from error
    return BroughtIn(place, new=True)


def _same(place: Path, text: str) -> bool:
    try:
        return result_text(place)[0] == text
    except ResultError:
        # Begun here, and measured on; or damaged.
        return False


def _copy(source: Path, target: Path) -> None:
    """Copy a folder's plain files; nobody else may read them."""
    for folder, folders, files in os.walk(source):
        place = Path(folder)
        inside = place.relative_to(source)
        folders[:] = [
            name for name in folders if name[:1] != "." and not (place / name).is_symlink()
        ]
        for name in folders:
            (target / inside / name).mkdir(mode=0o700)
        for name in files:
            file = place / name
            if name[:1] != "." and stat.S_ISREG(file.lstat().st_mode):
                with file.open("rb") as stream:
                    _pour(stream, target / inside / name, MAX_BYTES)


def _unpack(archive: Path, target: Path) -> None:
    """Unpack the plain files of an archive, none of them outside of `target`.

    Raises:
        ResultError: It is damaged, too large, or made to harm.
        StoreError: This machine's disk does not take it.
    """
    left = MAX_BYTES
    name = printable(str(archive))
    try:
        for count, (member, stream) in enumerate(_members(archive)):
            parts = PurePosixPath(member).parts
            if not parts or ".." in parts or parts[0] == "/" or "\0" in member:
                raise ResultError(f"{name}: {printable(member)} leads out of the archive")
            if count >= MAX_FILES or len(parts) > _DEEPEST + 1:
                raise ResultError(f"{name}: too many files for an archive of sweeps")
            file = target.joinpath(*parts)
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            left -= _pour(stream, file, left)
            if left <= 0:
                raise ResultError(f"{name}: over {MAX_BYTES} bytes, unpacked")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, RuntimeError) as error:
        raise ResultError(f"{name}: a damaged archive: {printable(str(error))}") from error
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise ResultError(f"{name}: it has a name twice") from error
    except OSError as error:
        raise StoreError(f"{name}: cannot be unpacked: {error.strerror or error}") from error


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The plain files of an archive: no links, no devices, no folders, nothing hidden."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if not info.is_dir() and not _hidden(info.filename):
                    with packed.open(info) as stream:
                        yield info.filename, stream
        return
    with tarfile.open(archive) as packed_tar:
        for member in packed_tar:
            file = packed_tar.extractfile(member) if member.isreg() else None
            if file is not None and not _hidden(member.name):
                with file:
                    yield member.name.removeprefix("./"), file


def _hidden(name: str) -> bool:
    return any(part[:1] == "." and part not in {".", ".."} for part in PurePosixPath(name).parts)


def _pour(stream: IO[bytes], file: Path, most: int) -> int:
    """Write what comes, and no more than one block beyond `most`; how much that was."""
    written = 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(file, flags, 0o600), "wb") as out:
        while written <= most and (block := stream.read(_BLOCK)):
            out.write(block)
            written += len(block)
    return written


def _write(file: Path, data: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)


@contextmanager
def _staging(results: Path) -> Iterator[Path]:
    """A hidden folder on the same disk, gone afterwards."""
    try:
        results.mkdir(mode=0o700, parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".brought-in.", dir=results))
    except OSError as error:
        raise StoreError(f"{results} cannot be written: {error.strerror}") from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
