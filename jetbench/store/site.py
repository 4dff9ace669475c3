"""The folder of a report: written file by file, so that whoever reads it meanwhile finds pages.

A file ``.jetbench-site.json`` names the files that a report has written. Another report in the
same folder replaces them, and removes those that it has not; what others put there stays. The raw
logs of a sweep stay as long as its page does, also where this report does not bring them again.
"""

from __future__ import annotations

import json
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from jetbench.domain.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MANIFEST = ".jetbench-site.json"
_SCHEMA = 1


class SiteFolder:
    """A folder that holds a report, or that may."""

    def __init__(self, path: Path) -> None:
        """Find out whether a report may be written there.

        Args:
            path: The folder; it need not be there yet.

        Raises:
            UsageError: It is no folder, or others' files are in it and no report.
            StoreError: It cannot be read.
        """
        self.path = path
        self._written: set[str] = set()
        self._begun = False
        try:
            if path.exists() and not path.is_dir():
                raise UsageError(f"{path} is no folder", hint="name a folder with -o")
            ours = (path / _MANIFEST).exists()
            if path.exists() and not ours and any(path.iterdir()):
                raise UsageError(
                    f"{path} has files in it, and no report of jetbench",
                    hint="name an empty folder, or one that is not there yet",
                )
            self._before = set(_names((path / _MANIFEST).read_text())) if ours else set()
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read: {error}") from error

    def has_below(self, folder: str) -> bool:
        """Whether an earlier report has left files in this folder of the site."""
        return any(name.startswith(f"{folder}/") for name in self._before)

    def keep_below(self, folder: str) -> None:
        """Let the files of an earlier report in this folder of the site stay as they are."""
        self._written |= {name for name in self._before if name.startswith(f"{folder}/")}

    def is_newer(self, name: str, than_s: float) -> bool:
        """Whether an earlier report has written a file after a moment, in seconds since 1970."""
        try:
            return name in self._before and (self.path / name).stat().st_mtime > than_s
        except OSError:
            return False

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all; one that has exactly this in it is left alone.

        Raises:
            StoreError: It cannot be written.
        """
        file = self.path / name
        try:
            if not self._begun:
                # From now on the folder is a report's, also where this one is cut off.
                self._put(self._before)
                self._begun = True
            if not _holds(file, data):
                file.parent.mkdir(parents=True, exist_ok=True)
                fresh = file.with_name(f".{file.name}.new")
                fresh.write_bytes(data)
                fresh.replace(file)
        except OSError as error:
            raise StoreError(
                f"{file} cannot be written: {error.strerror}",
                hint="free some space, or name another folder with -o; run it again afterwards",
            ) from error
        self._written.add(name)

    def finish(self) -> None:
        """Remove the pages of things that are in the report no more.

        Raises:
            StoreError: They cannot be removed.
        """
        try:
            for name in sorted(self._before - self._written):
                file = self.path / name
                file.unlink(missing_ok=True)
                for folder in list(file.relative_to(self.path).parents)[:-1]:
                    if not any((self.path / folder).iterdir()):
                        (self.path / folder).rmdir()
            self._put(self._written)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error

    def _put(self, names: Iterable[str]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        fresh = self.path / f"{_MANIFEST}.{os.getpid()}"
        document = {"schema": _SCHEMA, "files": sorted(names)}
        fresh.write_text(json.dumps(document, indent=0) + "\n")
        fresh.replace(self.path / _MANIFEST)


def _holds(file: Path, data: bytes) -> bool:
    return file.exists() and file.stat().st_size == len(data) and file.read_bytes() == data


def _names(text: str) -> list[str]:
    """The files that a manifest names, and that lie in its folder: it may come from anybody."""
    document = json.loads(text)
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, list):
        raise ValueError(f"{_MANIFEST} was changed by hand")  # noqa: TRY004 - its content is wrong
    paths = [PurePosixPath(name) for name in files if isinstance(name, str)]
    return [str(path) for path in paths if not path.is_absolute() and ".." not in path.parts]
