"""Looks for a secret in all places where it must not be, while a sweep runs and afterwards."""

from __future__ import annotations

import base64
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

MAX_BYTES = 64 * 2**20


def traces(core: str) -> tuple[bytes, ...]:
    """A secret's core as it is, and the middle of what base64 makes of it, wherever it begins.

    The core is of letters and digits, so that no quoting changes it.
    """
    assert core.isascii()
    assert core.isalnum()
    raw = core.encode()
    encoded = [base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3)]
    return (raw, *encoded)


class Hunt:
    """Reads the arguments and the environments of processes, again and again, until it ends."""

    def __init__(self, cores: Iterable[str], proc: Path, mark: bytes = b"") -> None:
        """Nothing is looked at yet.

        Args:
            cores: What no process may show.
            proc: Where the processes are, ``/proc`` or that of a board.
            mark: Only environments with this in them are a board's; arguments are all looked at.
        """
        self._traces = [trace for core in cores for trace in traces(core)]
        self._proc = proc
        self._mark = mark
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self.found: set[tuple[str, str, bytes]] = set()
        self.seen: set[bytes] = set()
        """The arguments of all processes of the board, for a test to see that it has looked."""

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._over.wait(0.002):
            for process in self._proc.glob("[0-9]*"):
                # It may end at any moment.
                with suppress(OSError):
                    arguments = (process / "cmdline").read_bytes()
                    self._look(process.name, "cmdline", arguments)
                    environment = (process / "environ").read_bytes()
                    if self._mark in environment:
                        self.seen.add(arguments)
                        self._look(process.name, "environ", environment)

    def _look(self, pid: str, what: str, text: bytes) -> None:
        if any(trace in text for trace in self._traces):
            self.found.add((pid, what, text))


def files_with(cores: Iterable[str], *places: Path, but: Iterable[Path] = ()) -> list[Path]:
    """The files below some places whose name or content, or a link's target, shows a secret."""
    wanted = [trace for core in cores for trace in traces(core)]
    found = []
    for place in places:
        for path in (place, *place.rglob("*")):
            if path in but or path.is_fifo() or path.is_socket():
                continue
            shown = str(path).encode(errors="surrogateescape")
            if path.is_symlink():
                shown += str(path.readlink()).encode(errors="surrogateescape")
            elif path.is_file():
                with path.open("rb") as file:
                    shown += file.read(MAX_BYTES)
            if any(trace in shown for trace in wanted):
                found.append(path)
    return found
