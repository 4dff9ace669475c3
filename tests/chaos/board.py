"""What the chaos test sees of a board, and does to it: its journals, its processes, its Caffe."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.virtual.board_root import CAFFE
from tests.virtual.helpers import processes_of

if TYPE_CHECKING:
    from jetbench.virtual.fleet import VirtualBoard
    from tests.chaos.scenario import Event

_STAND_IN = Path(__file__).with_name("caffe")
_LINES: dict[Event, re.Pattern[bytes]] = {
    "start": re.compile(rb"^@start ", re.MULTILINE),
    "saved": re.compile(rb"^@guard state=saved", re.MULTILINE),
    "ready": re.compile(rb"^@guard state=ready", re.MULTILINE),
    "done": re.compile(rb"^@done ", re.MULTILINE),
    "end": re.compile(rb"^@end ", re.MULTILINE),
    "restored": re.compile(rb"^@guard state=restored", re.MULTILINE),
}


@dataclass(frozen=True)
class Kept:
    """A journal that was on a board, and is kept here when it is deleted there."""

    key: str
    """What the part is called: the sweep's id, and its number."""
    path: Path
    host: str
    """Who was at work when it appeared."""

    @property
    def text(self) -> bytes:
        return self.path.read_bytes()


@dataclass
class WatchedBoard:
    """A virtual board whose journals are kept."""

    board: VirtualBoard
    folder: Path
    """For the journals."""
    journals: dict[int, Kept] = field(default_factory=dict)
    """In the order in which they appeared, by their inode."""

    def __post_init__(self) -> None:
        """Put the fast Caffe in the place of the board's own."""
        self.folder.mkdir(parents=True)
        self.run = self.board.root / "run"
        caffe = self.board.root / CAFFE
        caffe.rename(caffe.with_name("caffe.other"))
        caffe.write_text(_STAND_IN.read_text("utf-8"), "utf-8")
        caffe.chmod(0o700)

    @property
    def name(self) -> str:
        return self.board.name

    def look(self, host: str) -> None:
        """Keep the journals that are new: a second name for the file outlives the first."""
        with suppress(FileNotFoundError):
            for part in (self.board.home / ".jetbench/sweeps").iterdir():
                with suppress(FileNotFoundError, NotADirectoryError):
                    inode = (part / "journal").stat().st_ino
                    if inode not in self.journals:
                        path = self.folder / f"{len(self.journals):02d}-{part.name}"
                        path.hardlink_to(part / "journal")
                        self.journals[inode] = Kept(part.name, path, host)

    def hold(self, run: int) -> None:
        """Let that run of Caffe wait."""
        (self.run / f"hold-{run}").touch()

    def held(self, run: int) -> bool:
        """Whether that run of Caffe has come, and waits."""
        return (self.run / f"held-{run}").exists()

    def let_go(self, run: int) -> None:
        """Let it go on."""
        (self.run / f"hold-{run}").unlink(missing_ok=True)

    def seen(self, event: Event) -> int:
        """How often the journals have told of something."""
        return sum(len(_LINES[event].findall(kept.text)) for kept in self.journals.values())

    def kill(self, script: str) -> bool:
        """Kill what runs a script there without mercy; whether there was any."""
        found = False
        for pid in processes_of(self.board.root):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if words[0].endswith(b"sh") and words[1].endswith(b"/" + script.encode()):
                    os.kill(int(pid), signal.SIGKILL)
                    found = True
        return found
