"""The folder of a sweep: the first truth, from which everything else can be made again.

::

    RESULTS/SWEEP/
        plan.json            what was asked for
        result.json          what came of it, the JSON of `jetbench run`
        models/N.prototxt    the nets that were run
        models/BOARD/N.prototxt   those of them that came from the board itself
        second-look          where it looked again at another sweep: that one's id
        gate.json            what the gate said of it
        pruned.json          where its journals and logs were deleted to save room
        attached.json        where another host has started it: who, and since when
        restores/BOARD       what a later guard said that put a power state back after a part
        probes/BOARD         the board's answer to the probe, as it came
        journals/BOARD       the board's journal, as it came
        journals/BOARD~2     that of its second part, where the first one was cut off
        logs/BOARD/ID-MODEL.log   the raw log of each trial, as the board wrote it

Files are 0600, folders 0700: logs and paths tell about a lab.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.domain.errors import StoreError
from jetbench.formats.journal import bounded_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    T = TypeVar("T")

SECOND_LOOK = "second-look"
"""The file that says so of a folder, without anybody having to read the plan."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_NAME = 64
_BLOCK = 64 * 1024


class SweepFolder:
    """One sweep on this machine's disk. Every method raises StoreError, naming the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._journals: dict[str, int] = {}
        # Text, not Path: with 64 boards at once, joining paths costs more than writing.
        self._made: set[str] = set()

    @classmethod
    def create(cls, results: Path, sweep_id: str, plan_json: str) -> SweepFolder:
        """A new folder below `results`, with the plan in it."""
        folder = cls(results / sweep_id)
        # One that the user has made keeps the rights that the user gave it.
        folder._try(results, lambda: folder._make(str(results)))
        folder._try(folder.path, lambda: folder.path.mkdir(mode=0o700))
        folder._put(str(folder.path), "plan.json", plan_json.encode(), sync=True)
        return folder

    @classmethod
    def prepare(cls, results: Path, sweep_id: str, plan_json: str) -> SweepFolder:
        """A folder that is no sweep's until `settle` has made it that of `sweep_id`.

        Whoever is killed in between leaves nothing that would be taken for a sweep.
        """
        folder = cls(results / sweep_id)
        folder._try(results, lambda: folder._make(str(results)))
        made = folder._try(results, lambda: tempfile.mkdtemp(prefix=".taken-up.", dir=results))
        folder.path = Path(made)
        folder._put(str(folder.path), "plan.json", plan_json.encode(), sync=True)
        return folder

    def settle(self, sweep_id: str) -> None:
        """Give a prepared folder its name; where somebody was faster, theirs is taken."""
        path = self.path.with_name(sweep_id)
        try:
            self.path.rename(path)
        except OSError:
            self._try(path, (path / "plan.json").stat)
            shutil.rmtree(self.path, ignore_errors=True)
        self.path = path
        self._made.clear()

    @classmethod
    def open(cls, path: Path) -> SweepFolder:
        """A folder that is there."""
        return cls(path)

    def keep_second_look(self, sweep_id: str) -> None:
        """Note that this sweep only looks again at another one."""
        self._put(str(self.path), SECOND_LOOK, f"{sweep_id}\n".encode(), sync=True)

    def keep_gate(self, gate_json: str) -> None:
        """Store what the gate said, whole or not at all."""
        self._put(str(self.path), "gate.json", gate_json.encode(), sync=True)

    def keep_pruned(self) -> None:
        """Note that the journals and raw logs are deleted from now on."""
        self._put(str(self.path), "pruned.json", b'{"schema": 1}\n', sync=True)

    def keep_attached(self, text: str) -> None:
        """Note that another host has started this sweep, and deletes it on the boards."""
        self._put(str(self.path), "attached.json", text.encode(), sync=True)

    @property
    def attached(self) -> bool:
        """Whether another host has started it."""
        return (self.path / "attached.json").exists()

    def own(self) -> None:
        """Take it over from the host that has started it."""
        self._try(self.path, lambda: (self.path / "attached.json").unlink(missing_ok=True))

    def keep_probe(self, board: str, answer: bytes) -> None:
        """Store a board's answer to the probe."""
        self._put(f"{self.path}/probes", board, answer)

    def keep_restore(self, board: str, said: bytes, part: int = 1) -> None:
        """Store what a guard said that put a power state back after a part.

        Part 0: what another sweep had left was put back before this one began.
        """
        self._put(f"{self.path}/restores", _of_part(board, part), said)

    def keep_model(self, number: int, data: bytes, board: str | None = None) -> None:
        """Store a net as it was sent; `board` where it is that board's own file."""
        folder = f"{self.path}/models" if board is None else f"{self.path}/models/{board}"
        self._put(folder, f"{number}.prototxt", data)

    def keep_log(self, board: str, trial: int, model: str, data: bytes) -> Path:
        """Store the raw log of a trial, for people: the journal holds it too."""
        # A name may be anything; what it becomes here is only a help for the eye.
        shown = _UNSAFE.sub("_", model)[:_MAX_NAME]
        folder, name = f"{self.path}/logs/{board}", f"{trial:03d}-{shown}.log"
        self._put(folder, name, data)
        return Path(folder, name)

    def log(self, board: str, trial: int) -> Path | None:
        """The file of a trial's raw log; None where there is none, or no more."""
        folder = self.path / "logs" / board
        return next(iter(sorted(folder.glob(f"{trial:03d}-*.log"))), None)

    def append_journal(self, board: str, offset: int, data: bytes, part: int = 1) -> None:
        """Store a piece of the journal of a board's part where it belongs."""
        folder, name = f"{self.path}/journals", _of_part(board, part)

        def append() -> None:
            if name not in self._journals:
                self._make(folder)
                self._journals[name] = os.open(f"{folder}/{name}", os.O_RDWR | os.O_CREAT, 0o600)
            # Unbuffered: what a full disk refuses must not be tried again at the end.
            written = 0
            while written < len(data):
                written += os.pwrite(self._journals[name], data[written:], offset + written)

        self._try(f"{folder}/{name}", append)

    def sync_journal(self, board: str, part: int = 1) -> None:
        """Return when a part's journal is on the disk, not only on its way."""
        name = _of_part(board, part)
        file = self._journals.get(name)
        if file is not None:
            self._try(f"{self.path}/journals/{name}", lambda: os.fsync(file))

    def journal_lines(self, board: str) -> Iterator[bytes]:
        """The lines of a board's journals, part by part; none where there is no journal.

        After each part stands what was said when its power state was put back later.
        """
        for part in sorted(self.journal_sizes(board)):
            for folder in ("journals", "restores"):
                path = self.path / folder / _of_part(board, part)
                if path.exists():
                    with self._try(path, lambda path=path: path.open("rb")) as file:  # type: ignore[misc]
                        yield from bounded_lines(file)

    def journal_sizes(self, board: str) -> dict[int, int]:
        """How much of each part's journal is here, up to the end of its last whole line.

        Some may be missing: they went to another host, which had taken the sweep over.
        """
        folder = self.path / "journals"
        paths = {1: folder / board}
        for path in folder.glob(f"{glob.escape(board)}~*"):
            number = path.name.rpartition("~")[2]
            if number.isdecimal():
                paths[int(number)] = path
        return {
            part: self._try(path, lambda path=path: _whole_lines(path))  # type: ignore[misc]
            for part, path in paths.items()
            if path.exists()
        }

    def journal_start(self, board: str, part: int) -> bytes:
        """The first line of a part's journal; nothing where there is none."""
        path = self.path / "journals" / _of_part(board, part)
        if not path.exists():
            return b""
        with self._try(path, lambda: path.open("rb")) as file:
            return file.readline(_BLOCK)

    def probe(self, board: str) -> bytes | None:
        """A board's answer to the probe, where it is here."""
        return self._read(self.path / "probes" / board)

    def model(self, number: int, board: str | None = None) -> bytes | None:
        """A net as it was sent, where it is here; `board` for that board's own file."""
        folder = self.path / "models"
        return self._read((folder if board is None else folder / board) / f"{number}.prototxt")

    def plan_text(self) -> str:
        """The plan, JSON."""
        path = self.path / "plan.json"
        return self._try(path, lambda: path.read_text(encoding="utf-8"))

    def keep_result(self, result_json: str) -> None:
        """Store the result, whole or not at all."""
        self._put(str(self.path), "result.json", result_json.encode(), sync=True)

    def close(self) -> None:
        """Close the journals."""
        for file in self._journals.values():
            os.close(file)
        self._journals.clear()

    def _read(self, path: Path) -> bytes | None:
        return self._try(path, lambda: path.read_bytes() if path.exists() else None)

    def _put(self, folder: str, name: str, data: bytes, *, sync: bool = False) -> None:
        """Write or replace a file, whole or not at all.

        With `sync` also where the power fails: for what cannot be had again.
        """
        # Two commands may follow the same sweep.
        fresh = f"{folder}/.{name}.{os.getpid()}.new"

        def write() -> None:
            self._make(folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(fresh, flags, 0o600), "wb") as file:
                file.write(data)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(fresh, f"{folder}/{name}")  # noqa: PTH105 - as the paths, see above

        self._try(f"{folder}/{name}", write)

    def _make(self, folder: str) -> None:
        if folder in self._made:
            return
        path = Path(folder)
        if not path.is_dir():
            self._make(str(path.parent))
            path.mkdir(mode=0o700)
        self._made.add(folder)

    def _try(self, path: str | Path, action: Callable[[], T]) -> T:
        try:
            return action()
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}"
            hint = "free some space, or choose another place with --results DIR"
            raise StoreError(message, hint=hint) from error


def _of_part(board: str, part: int) -> str:
    """No board's name has a tilde in it."""
    return board if part == 1 else f"{board}~{part}"


def _whole_lines(path: Path) -> int:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(end - _BLOCK, 0)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0
