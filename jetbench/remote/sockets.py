"""Sockets that notice when the other end is gone."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paramiko import SSHException

from jetbench.domain.errors import UnreachableError

if TYPE_CHECKING:
    from paramiko import Channel

# What paramiko raises where a connection breaks under it.
BROKEN = (SSHException, EOFError, OSError)

# The kernel asks after 10 s of silence whether the peer still lives, and gives up at the
# latest 25 s after it last heard from it; what was sent is acknowledged within 20 s. Names
# that a system does not have are left out; macOS calls the first one TCP_KEEPALIVE.
_TCP_OPTIONS = (
    ("TCP_NODELAY", 1),
    ("TCP_KEEPIDLE", 10),
    ("TCP_KEEPALIVE", 10),
    ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 20_000),
)
_PROXY_GRACE_S = 2.0


class Tunnel:
    """A channel of a jump host, as the socket of the hop behind it.

    paramiko closes its socket at the end of a thread of its own, where nobody catches what a
    channel says whose jump host has gone.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.send = channel.send
        self.recv = channel.recv
        self.settimeout = channel.settimeout

    @property
    def _closed(self) -> bool:
        """Asked by paramiko of any socket while it waits for its thread to end."""
        return bool(self._channel.closed)

    def shutdown(self, how: int) -> None:
        """As of a socket; quiet where there is nothing left to shut down."""
        with suppress(*BROKEN):
            self._channel.shutdown(how)

    def close(self) -> None:
        """As of a socket; quiet where it is closed already."""
        with suppress(*BROKEN):
            self._channel.close()


@dataclass(slots=True)
class Wire:
    """What SSH is spoken over: TCP, a channel through a jump host, or a program's pipes."""

    sock: socket.socket | Tunnel
    direct: bool
    """Whether the kernel's own timers reach the server itself."""
    process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """Close it, and end the program behind it."""
        self.sock.close()
        if self.process is None:
            return
        try:
            self.process.wait(0.1)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            try:
                self.process.wait(_PROXY_GRACE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def dial(host: str, port: int, timeout_s: float) -> Wire:
    """Connect by TCP, trying each address that the name has.

    Raises:
        UnreachableError: With the reason.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        message = f"{host} cannot be resolved: {reason}"
        hint = "check `host` in the inventory, or the HostName and the alias in ssh_config"
        raise UnreachableError(message, hint=hint) from None
    failure: OSError | None = None
    deadline_s = time.monotonic() + timeout_s
    for index, (family, kind, protocol, _, address) in enumerate(found):
        # An address that swallows everything leaves the others their share of the time.
        share_s = (deadline_s - time.monotonic()) / (len(found) - index)
        sock = socket.socket(family, kind, protocol)
        try:
            _tune(sock)
            sock.settimeout(max(share_s, 0.1))
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return Wire(sock, direct=True)
    where = f"{host}:{port}"
    raise _unreachable(where, failure, timeout_s) from None


def run_proxy(command: str) -> Wire:
    """Start a ProxyCommand, with a socket for its standard input and output.

    paramiko's own class for this never notices the program's end.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - the user's own command, as ssh runs it
            ["/bin/sh", "-c", f"exec {command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is ours to handle
        )
    return Wire(ours, direct=False, process=process)


def _tune(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _TCP_OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _unreachable(where: str, failure: OSError | None, timeout_s: float) -> UnreachableError:
    hint = "is it on, and on a network that is reached from here?"
    if failure is None or isinstance(failure, TimeoutError):
        message = f"{where} does not answer within {timeout_s:.0f} s"
        return UnreachableError(message, hint=hint)
    if isinstance(failure, ConnectionRefusedError):
        message = f"{where} refuses the connection"
        return UnreachableError(message, hint="is sshd running there, and is the port right?")
    reason = os.strerror(failure.errno) if failure.errno else "it cannot be reached"
    return UnreachableError(f"{where}: {reason}", hint=hint)
