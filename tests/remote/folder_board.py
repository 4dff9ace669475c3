"""A board in a folder: just enough of one for the scripts to run on, with no network."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.remote.local_link import LocalLink

if TYPE_CHECKING:
    from pathlib import Path

STAND_INS = {
    "home/nvidia/caffe/build/tools/caffe": """
        case $1 in
        --version) echo "caffe version 1.0.0" ;;
        --help) echo "    -phase (Optional; network phase) type: string" ;;
        time)
            printf 'ran: %s\\n' "$*" >&2
            echo "$$" >"$HOME/caffe.pid"
            sleep "$(cat "$HOME/seconds" 2>/dev/null || echo 0.1)"
            echo "Average Forward pass: 1.5 ms." >&2 ;;
        esac""",
    "usr/sbin/nvpmodel": """
        state=$JETBENCH_ROOT/etc/mode
        case $1 in
        -q) printf 'NV Power Mode: MODE%s\\n%s\\n' "$(cat "$state")" "$(cat "$state")" ;;
        -m) if [ -e "$JETBENCH_ROOT/etc/stuck" ]; then echo "NVPM ERROR: no"; exit 0; fi
            echo "$2" >"$state" ;;
        esac""",
    "usr/bin/jetson_clocks": """
        locked=$JETBENCH_ROOT/etc/locked
        case $1 in
        --show) if [ -e "$locked" ]; then echo "GPU MinFreq=9 MaxFreq=9 CurrentFreq=9"
            else echo "GPU MinFreq=1 MaxFreq=9 CurrentFreq=1"; fi ;;
        --store) echo free >"$2" ;;
        --restore) rm -f "$locked" ;;
        *) : >"$locked" ;;
        esac""",
    "bin/sudo": """
        secret=
        while :; do
            case $1 in
            -n) shift ;;
            -S) IFS= read -r secret; shift ;;
            -p) shift 2 ;;
            *) break ;;
            esac
        done
        wanted=$(cat "$JETBENCH_ROOT/etc/password" 2>/dev/null)
        if [ "$secret" != "$wanted" ]; then echo "sudo: a password is required" >&2; exit 1; fi
        exec "$@" """,
}


class Board:
    """A board's root folder, and what is in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home/nvidia"
        for name, text in STAND_INS.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#!/bin/sh\n" + text)
            path.chmod(0o755)
        (root / "etc").mkdir()
        (root / "var/lib").mkdir(parents=True)
        self.links: list[LocalLink] = []
        self.mode = "3"

    @property
    def mode(self) -> str:
        """The power mode that is set now."""
        return (self.root / "etc/mode").read_text().strip()

    @mode.setter
    def mode(self, value: str) -> None:
        (self.root / "etc/mode").write_text(value + "\n")

    @property
    def locked(self) -> bool:
        """Whether the clocks are locked now."""
        return (self.root / "etc/locked").exists()

    def link(self) -> LocalLink:
        """A new connection."""
        link = LocalLink(
            {
                "HOME": str(self.home),
                "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
                "JETBENCH_ROOT": str(self.root),
            }
        )
        self.links.append(link)
        return link

    def kill_guard(self, sweep: str) -> None:
        """Kill the guard of a sweep; boards of other tests have one of the same name."""
        guard = f"{self.home}/.jetbench/sweeps/{sweep}/guard.sh"
        subprocess.run(["pkill", "-KILL", "-f", guard], check=True)

    def close(self) -> None:
        """End every connection, and what still runs at the other end."""
        for link in self.links:
            link.end()


def missing_tools() -> list[str]:
    """What the scripts need and this machine has not."""
    return [tool for tool in ("flock", "setsid", "timeout", "pkill") if not shutil.which(tool)]
