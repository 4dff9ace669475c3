"""Runs scripts/nightly.sh in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "nightly.sh"
WITHIN_S = 120


@dataclass(frozen=True)
class Night:
    """What a night came to."""

    status: int
    line: str
    """Standard output: the line of summary."""
    err: str


class Nightly:
    """The script with its settings; the program it calls is ours."""

    def __init__(self, folder: Path, *, plan: str) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.plan = folder / "night.yaml"
        self.plan.write_text(plan)
        program = folder / "jetbench"
        root = SCRIPT.parents[1]
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -m tests.nightly.on_a_day "$@"\n'
        )
        program.chmod(0o755)
        home = folder / "home"
        home.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "SHIFT_DAYS": "0",
            "JETBENCH": str(program),
            "JETBENCH_PLAN": str(self.plan),
            "JETBENCH_RESULTS": str(self.results),
            "JETBENCH_INVENTORY": str(folder / "inventory.yaml"),
        }

    def __call__(self, *arguments: str, days: float = 0, **variables: str) -> Night:
        """A night, so many days from now."""
        done = subprocess.run(
            [SCRIPT, *arguments],
            cwd=self.folder,
            env={**self.environment, "SHIFT_DAYS": str(days), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Night(done.returncode, done.stdout, done.stderr)

    def jetbench(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The program by itself."""
        return subprocess.run(
            [self.environment["JETBENCH"], *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
