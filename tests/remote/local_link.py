"""A link that runs its commands on this machine: the protocol without a network.

It has the shape of `jetbench.remote.connection.Link`, and nothing else of it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class LocalChannel:
    """A command that runs here, its standard streams piped."""

    def __init__(self, command: str, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(env),
            start_new_session=True,
        )
        self.stderr_tail = b""

    def send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        # A command that has ended takes nothing more; what it said is still to be read.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def recv(self, timeout_s: float) -> bytes | None:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        return os.read(self._process.stdout.fileno(), 65536) if ready else None

    def exit_status(self, timeout_s: float) -> int | None:
        return self._process.wait(timeout_s)

    def close(self) -> None:
        """As when an SSH channel closes: the streams end, the processes live on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()

    def end(self) -> None:
        """Close, and end the command with all that it has started in its session."""
        self.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class LocalLink:
    """Opens channels on this machine."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = dict(env)
        self.channels: list[LocalChannel] = []
        self.alive = True

    def open_exec(self, command: str, *, timeout_s: float) -> LocalChannel:
        assert timeout_s > 0
        channel = LocalChannel(command, self.env)
        self.channels.append(channel)
        return channel

    def close(self) -> None:
        self.alive = False
        for channel in self.channels:
            channel.close()

    def end(self) -> None:
        """Close for good, leaving no process."""
        for channel in self.channels:
            channel.end()
