"""The program as a user has it: a process with arguments, a home, and two outputs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.virtual.helpers import processes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualBoard, VirtualFleet

WITHIN_S = 120
"""What nothing here takes, even on a busy machine: a test that hangs is a failed one."""
NET = """name: "small"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 10 dim: 3 dim: 32 dim: 32 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 16 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
"""
SUMMARY_KEYS = {"n", "median", "mean", "min", "max", "stdev", "ci95", "values"}


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """Standard output, which is one JSON document and nothing else."""
        return json.loads(self.out)


class Program:
    """Runs ``jetbench`` in a folder of its own, with nothing of this machine's user."""

    def __init__(self, folder: Path, inventory: Path) -> None:
        self.folder = folder
        self.results = folder / "jetbench-results"
        home = folder / "home"
        home.mkdir(exist_ok=True)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JETBENCH_", "XDG_", "SSH_")) and name != "NO_COLOR"
        }
        self.environment = {**kept, "HOME": str(home), "JETBENCH_INVENTORY": str(inventory)}

    def __call__(self, *arguments: str | Path, stdin: str = "", **variables: str) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environment, **variables},
            input=stdin.encode(),
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in err, err
        return Done(done.returncode, out, err)

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "jetbench", *map(str, arguments)]

    @contextmanager
    def started(self, *arguments: str | Path) -> Iterator[Started]:
        """A command that runs while the test goes on."""
        out, err = self.folder / "out", self.folder / "err"
        with (
            out.open("wb") as to_out,
            err.open("wb") as to_err,
            subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
            ) as process,
        ):
            try:
                yield Started(process, out, err)
            finally:
                process.kill()

    def sweep(self) -> Path:
        """The folder of the only sweep there is."""
        (folder,) = (path for path in self.results.iterdir() if path.is_dir())
        return folder

    def net(self, name: str, text: str = NET) -> Path:
        """A prototxt in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@dataclass(frozen=True)
class Started:
    """A command that has not ended, or only just."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def wait_for(self, words: str) -> None:
        """Return when standard error matches."""

        def said() -> bool:
            assert self.process.poll() is None, self.err.read_text()
            return re.search(words, self.err.read_text()) is not None

        wait_until(said)

    def end(self) -> Done:
        """Wait for its end."""
        status = self.process.wait(WITHIN_S)
        done = Done(status, self.out.read_text(), self.err.read_text())
        assert "Traceback" not in done.err, done.err
        return done


def wait_until(true: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """Return when it is true. A folder that goes while it is looked at is looked at again."""
    give_up = time.monotonic() + within_s
    while True:
        with suppress(FileNotFoundError):
            if true():
                return
        assert time.monotonic() < give_up
        time.sleep(0.02)


def inventory_for(fleet: VirtualFleet, file: Path, changes: dict[str, dict[str, str]]) -> Path:
    """Write the fleet's inventory, with keys of single boards added or replaced."""
    lines = []
    board = ""
    for line in fleet.inventory_text().splitlines():
        lines.append(line)
        if (found := re.fullmatch(r"  ([\w-]+):", line)) and found[1] in changes:
            board = found[1]
            lines += [f"    {key}: {json.dumps(text)}" for key, text in changes[board].items()]
    file.write_text("\n".join(lines) + "\n")
    return file


def power_state(board: VirtualBoard) -> tuple[str, ...]:
    """What a sweep changes on a board and must put back: mode, clocks, fan, its own files."""
    root = board.root
    status = root / "var/lib/nvpmodel/status"
    gpu = root / "sys/devices/17000000.gp10b/devfreq/17000000.gp10b"
    cores = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]/online"))
    files = [gpu / "min_freq", gpu / "max_freq", root / "sys/devices/pwm-fan/target_pwm", *cores]
    mode = status.read_text() if status.exists() else ""
    left = (root / "var/lib/jetbench").exists()
    # Nobody may ever have set a mode: the default one is set then.
    mode = mode or "pmode:0003\n"
    return (mode, *(file.read_text() for file in files), f"left behind: {left}")


def at_rest(board: VirtualBoard) -> bool:
    """Whether nothing of a sweep runs on a board or is kept there, and its lock is free."""
    lock = subprocess.run(
        ["flock", "--nonblock", str(board.root / "etc"), "true"], timeout=WITHIN_S, check=False
    )
    return (
        lock.returncode == 0
        and not processes_of(board.root)
        and not (board.home / ".jetbench").exists()
    )
