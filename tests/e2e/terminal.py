"""The program with a terminal before it, and somebody who answers what it asks there."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import termios
from typing import TYPE_CHECKING

from tests.e2e.program import WITHIN_S, Done

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.program import Program


def on_terminal(
    program: Program,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    question: str = "",
    answer: str | signal.Signals = "",
    times: int = 1,
) -> Done:
    """Run it with standard output in a pipe, the rest on a terminal.

    Args:
        program: What to run.
        arguments: Its arguments.
        variables: More for its environment.
        question: When this is seen on the terminal,
        answer: this is typed there, or this signal sent;
        times: for the first so many times.
    """
    ours, theirs = pty.openpty()
    environment = {**program.environment, "TERM": "xterm-256color", "COLUMNS": "80"}
    with subprocess.Popen(
        program.command(*arguments),
        cwd=program.folder,
        env={**environment, **(variables or {})},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        assert process.stdout is not None
        pipe = process.stdout.fileno()
        said = {ours: b"", pipe: b""}
        answered = 0 if question else times
        try:
            while select.select([pipe, ours], [], [], WITHIN_S)[0]:
                if select.select([ours], [], [], 0)[0]:
                    said[ours] += os.read(ours, 65536)
                if answered < min(times, said[ours].count(question.encode())):
                    answered += 1
                    assert not _echoes(theirs)
                    if isinstance(answer, signal.Signals):
                        process.send_signal(answer)
                    else:
                        os.write(ours, answer.encode())
                if select.select([pipe], [], [], 0)[0]:
                    piece = os.read(pipe, 65536)
                    said[pipe] += piece
                    if not piece:
                        break
            status = process.wait(WITHIN_S)
            while select.select([ours], [], [], 0)[0]:
                said[ours] += os.read(ours, 65536)
            assert _echoes(theirs)
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)
    err = said[ours].decode().replace("\r\n", "\n")
    assert "Traceback" not in err, err
    return Done(status, said[pipe].decode(), err)


def _echoes(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
