"""A connection to a board, and the commands that run over it. Every wait is bounded."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from paramiko import ChannelException

from jetbench.domain.errors import BoardAnswerError, LinkLostError
from jetbench.formats.words import printable
from jetbench.remote.alarm import ALARM
from jetbench.remote.sockets import BROKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from paramiko import Channel, Transport
    from typing_extensions import Self


_RECEIVE_BYTES = 256 * 1024
_SEND_BYTES = 32 * 1024
_SEND_STALL_S = 60.0
_SEND_LEAST_BYTES_S = 1024
"""A board that takes less than this on average is not waited for, however steadily it takes."""
_STDERR_TAIL_BYTES = 4096
# How long output waits unread on standard error; a torrent of it is looked at more often.
_STDERR_PAUSE_S = 1.0
_STDERR_TORRENT_PAUSE_S = 0.01
_STDERR_TURN_BYTES = 4 * 2**20
# Beyond a jump host no timer of the kernel reaches the board: it is asked after so much
# silence, and has so long to answer.
_SILENCE_S = 10.0
_ANSWER_S = 15.0
_LOOK_S = 2.0


class Link:
    """An authenticated connection to one board.

    Args:
        transport: Ready to open channels.
        close: Ends the connection and everything it stands on.
        direct: Whether the kernel itself notices a dead board. Where it does, nothing is
            sent but what is asked for: a link must be silent while its board measures.
    """

    def __init__(self, transport: Transport, close: Callable[[], None], *, direct: bool) -> None:
        self._transport = transport
        self._close = close
        self._closed = threading.Event()
        self._heard_s = time.monotonic()
        # paramiko looks ten times a second whether it is to end, which for 64 silent boards
        # is more work than all they say. `close` wakes it.
        transport.sock.settimeout(_LOOK_S)
        if not direct:
            threading.Thread(target=self._watch, name="jetbench-watch", daemon=True).start()

    def __enter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the connection still stands, as far as it is known."""
        return self._transport.is_active()

    def open_exec(self, command: str, *, timeout_s: float) -> ExecChannel:
        """Start a command, which the login shell of the board interprets. Two round trips.

        Raises:
            LinkLostError: The connection broke, or the board did not answer in time.
            BoardAnswerError: The board refuses to run commands.
        """
        deadline_s = time.monotonic() + timeout_s
        try:
            channel = self._transport.open_session(timeout=timeout_s)
        except ChannelException as error:
            message = f"it refuses another session: {printable(error.text, 200)}"
            hint = "see MaxSessions in its /etc/ssh/sshd_config"
            raise BoardAnswerError(message, hint=hint) from None
        except BROKEN:
            raise self._lost(timeout_s) from None
        # paramiko waits without end for the answer to this request.
        try:
            with ALARM.within(max(deadline_s - time.monotonic(), 0.1), channel.close):
                channel.exec_command(command)
        except BROKEN:
            if self.alive and time.monotonic() < deadline_s:
                message = "it refuses to run a command"
                hint = "log in by hand; is the user restricted to something else?"
                raise BoardAnswerError(message, hint=hint) from None
            raise self._lost(timeout_s) from None
        return ExecChannel(channel, self._hear)

    def close(self) -> None:
        """End the connection. Whoever waits on it gets a LinkLostError."""
        self._closed.set()
        with suppress(*BROKEN):
            self._transport.sock.shutdown(socket.SHUT_RDWR)
        with suppress(*BROKEN):
            self._close()

    def _hear(self) -> None:
        self._heard_s = time.monotonic()

    def _lost(self, timeout_s: float) -> LinkLostError:
        if self.alive:
            return LinkLostError(f"it did not answer within {timeout_s:.0f} s")
        return LinkLostError("the connection broke")

    def _watch(self) -> None:
        """Ask a silent board whether it lives, and end the connection if it does not."""
        while self.alive:
            silent_s = time.monotonic() - self._heard_s
            if self._closed.wait(max(_SILENCE_S - silent_s, 0.0)):
                return
            if time.monotonic() - self._heard_s < _SILENCE_S:
                continue
            with suppress(*BROKEN), ALARM.within(_ANSWER_S, self._transport.close):
                self._transport.global_request("keepalive@openssh.com", wait=True)
            self._hear()


class ExecChannel:
    """A command on the board: its input, its output, its end. For one thread at a time."""

    def __init__(self, channel: Channel, heard: Callable[[], None]) -> None:
        self._channel = channel
        self._transport = channel.get_transport()
        self._heard = heard
        self._pause_s = _STDERR_PAUSE_S
        self.stderr_tail = b""
        """The last 4 KiB of what the command and its login shell wrote to standard error."""

    def __enter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def send(self, data: bytes) -> None:
        """Write all of `data` to the command's standard input.

        Where the command has ended, or has closed its input, the rest is dropped: what
        became of it is in its output and in its exit status.

        Raises:
            LinkLostError: The connection broke, or the command took nothing for a minute, or
                hardly anything for long.
        """
        sent = 0
        began_s = moved_s = time.monotonic()
        patience_s = _SEND_STALL_S + len(data) / _SEND_LEAST_BYTES_S
        while sent < len(data):
            self._drain_stderr()
            self._channel.settimeout(self._pause_s)
            try:
                taken = self._channel.send(data[sent : sent + _SEND_BYTES])
            except TimeoutError:
                if time.monotonic() - moved_s > _SEND_STALL_S:
                    message = f"it has taken no input for {_SEND_STALL_S:.0f} s"
                    raise LinkLostError(message) from None
                continue
            except BROKEN:
                taken = 0
            if taken == 0:
                self._check()
                return
            sent += taken
            moved_s = time.monotonic()
            if moved_s - began_s > patience_s and sent < len(data):
                message = f"it has taken {sent} of {len(data)} bytes within {patience_s:.0f} s"
                raise LinkLostError(message)

    def shut_stdin(self) -> None:
        """Tell the command that nothing more comes."""
        with suppress(*BROKEN):
            self._channel.shutdown_write()

    def recv(self, timeout_s: float) -> bytes | None:
        """What the command has written to standard output.

        Returns:
            At least one byte; b"" at the end of the output; None where nothing came within
            `timeout_s`.

        Raises:
            LinkLostError: The connection broke.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            self._drain_stderr()
            left_s = deadline_s - time.monotonic()
            self._channel.settimeout(max(min(left_s, self._pause_s), 0.0))
            try:
                data = self._channel.recv(_RECEIVE_BYTES)
            except TimeoutError:
                if left_s <= self._pause_s:
                    return None
                continue
            except BROKEN:
                data = b""
            if data:
                self._heard()
            else:
                self._check()
                self._drain_stderr()
            return data

    def exit_status(self, timeout_s: float) -> int | None:
        """The command's exit status.

        Returns:
            None where it has not ended within `timeout_s`; -1 where a signal ended it.

        Raises:
            LinkLostError: The connection broke before the status came.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self._channel.status_event.wait(
            max(min(deadline_s - time.monotonic(), self._pause_s), 0.0)
        ):
            self._drain_stderr()
            if time.monotonic() >= deadline_s:
                return None
        self._drain_stderr()
        status = self._channel.recv_exit_status()
        if status < 0:
            self._check(ended=True)
        return status

    def close(self) -> None:
        """Leave the command alone. It may live on."""
        with suppress(*BROKEN):
            self._channel.close()

    def _check(self, *, ended: bool = False) -> None:
        """Raise if the output has ended because the connection has."""
        if self._channel.eof_received and not ended:
            return
        if self._transport.is_active():
            # paramiko closes the channels a moment before it says that all is over.
            self._transport.join(0.1)
        if not self._transport.is_active():
            message = "the connection broke"
            raise LinkLostError(message)

    def _drain_stderr(self) -> None:
        """Make room: unread errors would stop the output, too."""
        drained = 0
        with suppress(*BROKEN):
            while self._channel.recv_stderr_ready() and drained < _STDERR_TURN_BYTES:
                data = self._channel.recv_stderr(_RECEIVE_BYTES)
                self.stderr_tail = (self.stderr_tail + data)[-_STDERR_TAIL_BYTES:]
                drained += len(data)
        torrent = drained > _RECEIVE_BYTES
        self._pause_s = _STDERR_TORRENT_PAUSE_S if torrent else _STDERR_PAUSE_S
