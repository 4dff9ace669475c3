"""A virtual board that, behind real SSH, answers what a test wants instead of what it is asked.

The host's scripts come through ``head`` on the board (`jetbench.remote.session`): a stand-in for
it hands the shell another text to run, where the test has one for that question.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jetbench.virtual.fleet import VirtualFleet
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualBoard

HEAD = """#!/bin/sh
# head -c N: N bytes of standard input; a script of the host's may be replaced.
[ $# = 2 ] || exec HEAD "$@"
text=$(HEAD "$@" | base64 | tr -d '\\n')
script=$(printf %s "$text" | base64 -d | tr -d '\\0')
case $script in
*'say begin'*) ask=probe ;;
*'say forgotten'*) ask=journal ;;
*'say guard'*) ask=restore ;;
*'say stopping'*) ask=stop ;;
*) ask=none ;;
esac
if [ -e "$JETBENCH_ROOT/lies/$ask" ]; then
    eval "$(printf '%s\\n' "$script" | grep '^NONCE=')"
    printf 'exec %s %s %s' PYTHON "$JETBENCH_ROOT/lies/$ask" "$NONCE"
else
    printf %s "$text" | base64 -d
fi
"""
PREAMBLE = """
import base64, gzip, hashlib, os, sys, time
NONCE = sys.argv[1].encode()
ROOT = os.environ["JETBENCH_ROOT"]
def out(data):
    while data:
        data = data[os.write(1, data):]
def say(text):
    out(b"#" + NONCE + b" " + text.encode() + b"\\n")
def trial(number, log=b"log", sha256=None, begin="", end="exit=0", up=60):
    packed = base64.b64encode(gzip.compress(log)).decode()
    lines = "".join(f"| {packed[at:at + 4000]}\\n" for at in range(0, len(packed), 4000))
    return (f"@trial id={number} up={up} {begin}\\n{lines}@done id={number} up={up + 4} "
            f"sha256={sha256 or hashlib.sha256(log).hexdigest()} {end}\\n").encode()
def log(ms):
    said = ["caffe.cpp:343] Use GPU with device ID 0", "caffe.cpp:404] *** Benchmark begins ***",
            f"caffe.cpp:412] Average Forward pass: {ms} ms.",
            f"caffe.cpp:414] Average Backward pass: {ms} ms.",
            f"caffe.cpp:416] Average Forward-Backward: {ms} ms.",
            f"caffe.cpp:418] Total Time: {ms} ms.",
            "caffe.cpp:419] *** Benchmark ends ***"]
    return "".join(f"I1126 05:00:00.000000  1 {line}\\n" for line in said).encode()
"""


class HostileBoard:
    """One board, and what it says."""

    def __init__(self, fleet: VirtualFleet) -> None:
        self.fleet = fleet
        self.board: VirtualBoard = fleet.boards[0]
        self.lies = self.board.root / "lies"
        self.lies.mkdir()
        head = self.board.root / "usr/local/jetbench-bin/head"
        text = HEAD.replace("PYTHON", shlex.quote(sys.executable))
        head.write_text(text.replace("HEAD", shutil.which("head") or "/usr/bin/head"))
        head.chmod(0o755)
        self.inventory = fleet.directory / "inventory.yaml"
        self.inventory.write_text(fleet.inventory_text())

    def answers(self, **scripts: str) -> HostileBoard:
        """Have these questions answered by Python programs; the others as ever.

        Args:
            scripts: By question (probe, journal, restore, stop): a program that finds what
                `PREAMBLE` has; its standard output is the answer.
        """
        for lie in self.lies.iterdir():
            lie.unlink()
        for question, program in scripts.items():
            (self.lies / question).write_text(PREAMBLE + program)
        return self


@contextmanager
def hostile_board(folder: Path) -> Iterator[HostileBoard]:
    """A fleet of one board, in a folder of its own."""
    with VirtualFleet(1, folder, FAST) as fleet:
        yield HostileBoard(fleet)
