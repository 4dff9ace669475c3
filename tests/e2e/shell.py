"""A shell before a person at a terminal, who presses Tab."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.screens import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.screens import Terminal

AT_THE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
"""Makes it the terminal of a program, so that Ctrl-C there is a signal."""
PROMPT = "ready> "


class Shell:
    """What it runs in, and how it is typed to."""

    def __init__(self, kind: str, home: Path, folder: Path) -> None:
        self.kind = kind
        self.home = home
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {
            "HOME": str(home),
            "PATH": path,
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "ZDOTDIR": str(home),
        }
        home.mkdir(exist_ok=True)
        for file in (".bashrc", ".zshrc"):
            (home / file).write_text(f"PS1='{PROMPT}'\n")

    def run(self, command: str) -> str:
        """What a command prints, run by the shell itself."""
        done = subprocess.run(
            # The shell must not become the command: completion asks who has started it.
            [self.kind, "-c", f"{command}; true"],
            cwd=self.folder,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stderr == ""
        return done.stdout

    @contextmanager
    def before_a_person(self) -> Iterator[Terminal]:
        """The shell, once it is ready to be typed to."""
        with (
            terminal(columns=120) as shown,
            subprocess.Popen(
                [sys.executable, "-c", AT_THE_TERMINAL, self.kind, "-i"],
                cwd=self.folder,
                env=self.environment,
                stdin=shown.theirs,
                stdout=shown.theirs,
                stderr=shown.theirs,
                start_new_session=True,
            ) as process,
        ):
            try:
                shown.wait_for(lambda: PROMPT.strip() in shown.text)
                yield shown
            finally:
                process.kill()
