"""A sweep's folder as an archive, for others: `bring_in` takes it."""

from __future__ import annotations

import gzip
import os
import tarfile
from typing import TYPE_CHECKING

from jetbench.domain.errors import ResultError, StoreError
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def write_archive(folders: Iterable[Path], file: Path) -> int:
    """Write a .tar.gz of sweeps' folders, whole or not at all; how many files are in it.

    The same folders give the same bytes: no times, no owners, no absolute paths.

    Raises:
        ResultError: A folder is no finished sweep's.
        StoreError: Something cannot be read or written.
    """
    folders = sorted(folders)
    for folder in folders:
        if not (folder / "result.json").is_file():
            raise ResultError(f"{printable(str(folder))}: no finished sweep's folder")
    fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with (
            os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw,
            # No name and no time of this file in it.
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            count = 0
            for folder in folders:
                for path in _files(folder):
                    _add(archive, path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
                    count += 1
        fresh.replace(file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        name = printable(str(error.filename or file))
        raise StoreError(f"{name}: cannot be packed: {error.strerror}") from error
    return count


def _files(folder: Path) -> Iterator[Path]:
    """The plain files, nothing hidden: what is half written is so."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path.is_file() and not path.is_symlink() and not any(p[:1] == "." for p in inside):
            yield path


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.mode = 0o600
    with path.open("rb") as file:
        info.size = os.fstat(file.fileno()).st_size
        archive.addfile(info, file)
