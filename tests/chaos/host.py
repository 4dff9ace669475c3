"""A host of the chaos test: the program in a folder of its own, several of it at a time."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e.program import Program

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Launched:
    """A command that was started."""

    host: Host
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    @property
    def status(self) -> int | None:
        return self.process.poll()

    def said(self) -> str:
        return self.err.read_text("utf-8")

    def __str__(self) -> str:
        """The command, and whose it is."""
        return f"{self.host.name}: jetbench {' '.join(self.arguments)}"


class Host(Program):
    """Runs the program, with results of its own."""

    def __init__(self, folder: Path, inventory: Path) -> None:
        folder.mkdir()
        super().__init__(folder, inventory)
        self.name = folder.name
        self.launched: list[Launched] = []

    def launch(self, *arguments: str) -> Launched:
        """Start a command."""
        number = len(self.launched)
        out, err = self.folder / f"{number}.out", self.folder / f"{number}.err"
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
            )
        launched = Launched(self, arguments, process, out, err)
        self.launched.append(launched)
        return launched

    def sweeps(self) -> list[Path]:
        """The sweeps that are kept here, the oldest first."""
        if not self.results.exists():
            return []
        return sorted(path for path in self.results.iterdir() if path.is_dir())

    def document(self, sweep: str) -> Any:  # noqa: ANN401 - JSON may be anything
        """The result of a sweep, None where there is none."""
        file = self.results / sweep / "result.json"
        return json.loads(file.read_text("utf-8")) if file.exists() else None

    def journals(self, sweep: str, board: str) -> list[bytes]:
        """What is here of a board's journals."""
        folder = self.results / sweep / "journals"
        found = [*folder.glob(board), *folder.glob(f"{board}~*")]
        return [path.read_bytes() for path in found]
