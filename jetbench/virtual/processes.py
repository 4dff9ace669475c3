"""Commands on a virtual board: real processes of this user, tied to SSH channels.

A command behaves as under sshd without a terminal: it has a session of its own, its end of
input is the client's, it lives on when the client is gone, and the channel stays open until
nobody holds its output any more.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    import paramiko

_CHUNK_BYTES = 32768
_SIGNALLED = 128
_END_S = 2.0
_KILL_S = 3.0
_LOST = (OSError, EOFError)
"""What paramiko raises where the connection is gone."""


class Command:
    """One command, from its start until its channel is closed."""

    def __init__(
        self,
        channel: paramiko.Channel,
        arguments: list[str],
        environment: dict[str, str],
        folder: Path,
    ) -> None:
        """Prepare to run `arguments` in `folder`, for the client at the end of `channel`."""
        self._channel = channel
        self._arguments = arguments
        self._environment = environment
        self._folder = folder

    def run(self) -> None:
        """Start it, move its streams, and send its exit status. Returns when all is done."""
        try:
            process = subprocess.Popen(  # noqa: S603 - running commands is what it is for
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                cwd=self._folder,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            self._complain(error)
        else:
            stdin = cast("BinaryIO", process.stdin)
            threading.Thread(target=self._feed, args=(stdin,), daemon=True).start()
            self._drain(process)
        with contextlib.suppress(*_LOST):
            self._channel.close()

    def _complain(self, error: OSError) -> None:
        with contextlib.suppress(*_LOST):
            self._channel.sendall_stderr(f"{error.filename}: {error.strerror}\n".encode())
            self._channel.send_exit_status(127)

    def _feed(self, stdin: BinaryIO) -> None:
        """Client to process, until the client's end of input or the channel's end."""
        listening = True
        with contextlib.suppress(*_LOST):
            while data := self._channel.recv(_CHUNK_BYTES):
                # A process that no longer reads must not stop the client from writing.
                listening = listening and _written(stdin, data)
        with contextlib.suppress(OSError):
            stdin.close()

    def _drain(self, process: subprocess.Popen[bytes]) -> None:
        """Process to client, until both outputs are closed, and the status in between."""
        stdout, stderr = cast("BinaryIO", process.stdout), cast("BinaryIO", process.stderr)
        send: dict[int, Callable[[bytes], None]] = {
            stdout.fileno(): self._channel.sendall,
            stderr.fileno(): self._channel.sendall_stderr,
        }
        poller = select.poll()
        for descriptor in send:
            poller.register(descriptor, select.POLLIN | select.POLLHUP)
        ended = _open_pidfd(process.pid)
        if ended is not None:
            poller.register(ended, select.POLLIN)
        try:
            while send:
                for descriptor, _ in poller.poll():
                    if descriptor == ended:
                        poller.unregister(descriptor)
                        self._tell_status(process)
                    elif not _forward(descriptor, send[descriptor]):
                        poller.unregister(descriptor)
                        del send[descriptor]
        except _LOST:
            # The client is gone; the process will notice when it writes.
            pass
        finally:
            stdout.close()
            stderr.close()
            if ended is not None:
                os.close(ended)
        self._tell_status(process)

    def _tell_status(self, process: subprocess.Popen[bytes]) -> None:
        if process.returncode is not None:
            return
        code = process.wait()
        with contextlib.suppress(*_LOST):
            self._channel.send_exit_status(code if code >= 0 else _SIGNALLED - code)


def _written(stdin: BinaryIO, data: bytes) -> bool:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(stdin.fileno(), view) :]
    except OSError:
        return False
    return True


def _forward(descriptor: int, send: Callable[[bytes], None]) -> bool:
    """Send on what can be read; False at the end."""
    data = os.read(descriptor, _CHUNK_BYTES)
    if data:
        send(data)
    return bool(data)


def _open_pidfd(pid: int) -> int | None:
    """A descriptor that tells when a process ends, where the system has such a thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def end_all(root: Path) -> None:
    """Tell whatever runs on the board at `root` to end; returns when it has, or soon."""
    for pid in _running(root):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _END_S
    while _running(root) and time.monotonic() < deadline:
        time.sleep(0.05)


def kill_all(root: Path) -> None:
    """Kill whatever runs on the board at `root`, also what has left its session.

    They are known by their environment, so this finds them on Linux only. Returns when they
    are gone, or after a few seconds.
    """
    deadline = time.monotonic() + _KILL_S
    while found := _running(root):
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return
        # One of them may just have started another; and the kernel needs a moment.
        time.sleep(0.01)


def _running(root: Path) -> list[int]:
    mark = os.fsencode(f"JETBENCH_ROOT={root}")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]
