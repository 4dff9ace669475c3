"""Progress as plain lines, where standard error is no terminal."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from jetbench.cli.watch import Watch
from jetbench.report.progress import Progress
from tests import make

if TYPE_CHECKING:
    from pathlib import Path


class Entered(io.TextIOWrapper):
    """A stream in the middle of a line: what a signal finds where it comes then."""

    def write(self, _: str) -> int:
        raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")


def test_a_signal_says_something_in_the_middle_of_another_line(tmp_path: Path) -> None:
    """Its line is written, and nothing is raised: the sweep is ended, not broken off."""
    with Entered((tmp_path / "err").open("wb")) as stream:
        Watch(Progress(make.plan()), stream).say("SIGTERM: ending the trials")
    assert (tmp_path / "err").read_text() == f"{os.linesep}SIGTERM: ending the trials{os.linesep}"
