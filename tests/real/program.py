"""The program as its user starts it, and what a board looks like from outside and within."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from tests.real.conftest import RealBoard, RealBoards

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "real-boards"
MODEL = "bvlc_alexnet"
"""What the tests of faults measure, three times."""
PATIENCE_S = 120.0
"""For what must happen, however busy the machine is."""
PROGRAM = (sys.executable, "-m", "jetbench")
OF_THE_BOARD = ("sshd", "/usr/sbin/sshd", "/bin/sh /sbin/board-init", "sleep 0.2")
"""How the command lines begin of what runs on a board that nobody uses."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command has said."""

    status: int
    out: str
    said: str
    """Standard error."""

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as JSON."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def folder(self) -> Path:
        """Where the sweep's evidence is kept, as the program says it."""
        found = re.search(r"^Kept in (.+): journals", self.said, re.MULTILINE)
        assert found is not None, self.said
        return Path(found[1])

    @property
    def records(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The records of a result by board and model."""
        return {(each["board"], each["model"]): each for each in self.document["records"]}


def doubts(record: dict[str, Any]) -> list[dict[str, str]]:
    """What is doubtful of a record, without what comes of boards that share one machine.

    They are neighbours on its processors, and disturb each other's times.
    """
    shared = {"neighbour", "spread", "outlier", "first_trials", "first_iterations"}
    assert record["status"] == ("suspect" if record["reasons"] else "ok")
    assert record["reasons"] == [finding["evidence"] for finding in record["findings"]]
    return [finding for finding in record["findings"] if finding["check"] not in shared]


def assert_measured(done: Done, board: RealBoard) -> None:
    """Every trial of a board has its number, each of them once."""
    record = done.records[board.name, MODEL]
    assert doubts(record) == []
    assert [trial["id"] for trial in record["trials"]] == [1, 2, 3]
    kept = (done.folder / "journals" / board.name).read_bytes()
    for word in (b"trial", b"done"):
        ran = re.findall(rb"^@%b id=(\d+)" % word, kept, re.MULTILINE)
        assert ran == [b"1", b"2", b"3"]
    assert record["forward_ms"]["n"] == 3
    assert done.document["boards"][board.name]["error"] is None
    assert done.document["boards"][board.name]["restored"] is True


def assert_measured_in_parts(done: Done, board: RealBoard) -> None:
    """The same, where the sweep was cut off on the board and taken up again there."""
    record = done.records[board.name, MODEL]
    assert [trial["id"] for trial in record["trials"]] == [1, 2, 3]
    assert record["forward_ms"]["n"] == 3
    assert done.document["boards"][board.name]["restored"] is True
    parts = sorted((done.folder / "journals").glob(f"{board.name}*"))
    assert len(parts) == 2, parts
    kept = b"".join(part.read_bytes() for part in parts)
    assert sorted(re.findall(rb"^@done id=(\d+)", kept, re.MULTILINE)) == [b"1", b"2", b"3"]


def jetbench(*words: str | Path) -> Done:
    """A command of the program, from its start to its end."""
    done = subprocess.run(
        [*PROGRAM, *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


class Sweep:
    """A ``jetbench run`` that goes on while a test does something to its boards."""

    def __init__(self, inventory: Path, results: Path, *words: str) -> None:
        options = ("--inventory", inventory, "--results", results, "--format", "json")
        self._command = [*PROGRAM, "run", *words, *map(str, options)]

    def __enter__(self) -> Self:
        """Starts it."""
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends it, if it has not ended; the boards put themselves back."""
        self.process.kill()
        self.process.communicate()

    def done(self) -> Done:
        """Waits for its end."""
        out, said = self.process.communicate(timeout=PATIENCE_S)
        return Done(self.process.returncode, out, said)


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Waits until something holds, and fails where it never does."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up_s, f"it did not happen: {what}"
        time.sleep(0.02)


def reboot(boards: RealBoards, board: RealBoard) -> None:
    """Ends all that runs on a board, and starts it again; the clocks are free then."""
    subprocess.run(
        [SCRIPT, "reboot", board.name, "--dir", boards.folder],
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )


def processes(board: RealBoard) -> dict[int, str]:
    """The command lines of all that runs on a board, by the process id that it has there."""
    found = {}
    for entry in (board.root / "proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        found[int(entry.name)] = words.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def journal(board: RealBoard) -> bytes:
    """The journals that lie on a board."""
    sweeps = (board.root / "home/nvidia/.jetbench/sweeps").glob("*/journal")
    return b"".join(path.read_bytes() for path in sweeps)


def await_trial(board: RealBoard, number: int) -> None:
    """Waits until the board is in the middle of its trial of this number; 0 is a warm-up."""

    def measures() -> bool:
        said = journal(board)
        begun, ended = (b"\n@%b id=%d " % (word, number) in said for word in (b"trial", b"done"))
        return (
            begun
            and not ended
            and any(
                line.startswith(("/usr/bin/caffe time", "caffe time"))
                for line in processes(board).values()
            )
        )

    eventually(f"trial {number} on {board.name}", measures)


def await_end(board: RealBoard) -> None:
    """Waits until nothing runs on a board that is not its own."""

    def ended() -> bool:
        return all(line.startswith(OF_THE_BOARD) or not line for line in processes(board).values())

    eventually(f"the end of all work on {board.name}: {processes(board)}", ended)


def left_on(board: RealBoard) -> list[str]:
    """What a sweep has left on a board: nothing, as it should be."""
    await_end(board)
    places = ("home/nvidia/.jetbench", "var/lib/jetbench")
    return [
        *(place for place in places if (board.root / place).exists()),
        *(f"tmp/{entry.name}" for entry in (board.root / "tmp").iterdir()),
    ]


def power_of(board: RealBoard) -> str:
    """Power mode and all clocks, in the words of NVIDIA's tools."""
    return board.run_as_root(f"nvpmodel -q; {board.jetson_clocks} --show").stdout


def set_mode(board: RealBoard, mode: int) -> None:
    """Sets a power mode, which lets the clocks go."""
    board.run_as_root(f"nvpmodel -m {mode} </dev/null")
