"""The SSH side of a virtual board: keys, connections, channels (paramiko's server).

One thread accepts for all boards of a fleet; each connection has paramiko's thread, and each
command two more. Only the fleet's own key is let in.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, cast

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    MSG_CHANNEL_REQUEST,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from jetbench.domain.errors import UsageError
from jetbench.virtual.board_root import HOME, environment
from jetbench.virtual.options import USER
from jetbench.virtual.processes import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from jetbench.virtual.faults import Faults

HOST = "127.0.0.1"
_BACKLOG = 128
_BANNER = "SSH-2.0-OpenSSH_7.2p2 jetbench-virtual"
_IDLE_CHECK_S = 2.0
_JOIN_S = 2.0
_RUBBISH = ["/bin/sh", "-c", "exec head -c 1000000 /dev/urandom"]
"""What runs instead of every command, on a board with that fault."""
LOG = "jetbench.virtual"


def load_or_make_key(file: Path) -> paramiko.Ed25519Key:
    """The private key in `file`, made and written there (readable by its owner) if need be."""
    if not file.exists():
        text = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text)
    return paramiko.Ed25519Key(filename=str(file))


def public_line(key: paramiko.PKey) -> str:
    """A key as it stands in known_hosts and authorized_keys: its type and itself."""
    return f"{key.get_name()} {key.get_base64()}"


class _Link:
    """An accepted socket as paramiko wants it, that can break or fall silent on demand."""

    def __init__(self, sock: socket.socket, faults: Faults) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._left = faults.drop_after_bytes
        self._pause_s = 1 / faults.slow if faults.slow else 0.0
        self.silent = threading.Event()

    def settimeout(self, timeout: float) -> None:
        # Paramiko's tenth of a second only serves to notice that it was closed: `close` wakes
        # it, and hundreds of idle connections would cost a share of a core.
        self._socket.settimeout(max(timeout, _IDLE_CHECK_S))

    def recv(self, size: int) -> bytes:
        while True:
            data = self._socket.recv(size)
            # What comes in while it is silent is forgotten, as if the cable were cut.
            if not data or not self.silent.is_set():
                return data

    def send(self, data: bytes) -> int:
        if self.silent.is_set():
            return len(data)
        if self._pause_s:
            time.sleep(self._pause_s)
            data = data[:1]
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        sent = self._socket.send(data) if data else 0
        if self._left == 0:
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        return sent

    def getpeername(self) -> object:
        return self._socket.getpeername()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _handle_channel_request(channel: paramiko.Channel, message: paramiko.Message) -> None:
    """Answer a client's request, and only then start the command that it may ask for.

    Paramiko answers after the server's callback has returned. A command that is started by the
    callback may be over, and its channel closed, before the client is told that it may run.
    """
    cast("Any", channel)._handle_request(message)  # noqa: SLF001 - paramiko has no such hook
    interface = channel.get_transport().server_object
    if isinstance(interface, _Interface):
        interface.start(channel)


class _Transport(paramiko.Transport):
    """A connection that starts commands as `_handle_channel_request` says."""

    _channel_handler_table: ClassVar[Mapping[int, Callable[..., None]]] = {
        **vars(paramiko.Transport)["_channel_handler_table"],
        MSG_CHANNEL_REQUEST: _handle_channel_request,
    }


class _Interface(paramiko.ServerInterface):
    """What a client may do: log in with one key as one user, and run commands."""

    def __init__(self, root: Path, user_key: paramiko.PKey, *, rubbish: bool) -> None:
        self._root = root
        self._rubbish = rubbish
        self._user_key = user_key
        self._wanted: dict[int, list[str]] = {}

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == USER and key == self._user_key
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del chanid
        if kind == "session":
            return OPEN_SUCCEEDED
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        return self._want(channel, ["/bin/sh", "-c", os.fsdecode(command)])

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        return self._want(channel, ["/bin/sh"])

    def _want(self, channel: paramiko.Channel, arguments: list[str]) -> bool:
        self._wanted[channel.get_id()] = _RUBBISH if self._rubbish else arguments
        return True

    def start(self, channel: paramiko.Channel) -> None:
        """Run what was asked for on this channel, if anything was."""
        arguments = self._wanted.pop(channel.get_id(), None)
        if arguments is not None:
            root = self._root
            command = Command(channel, arguments, environment(root), root / HOME)
            threading.Thread(target=command.run, daemon=True).start()


class Door:
    """The TCP port of one board, and the connections that came in through it."""

    def __init__(
        self,
        root: Path,
        host_key: paramiko.PKey,
        user_key: paramiko.PKey,
        *,
        port: int,
        faults: Faults,
    ) -> None:
        """Take a port, `port` if it is free, else any; connections are still refused."""
        self._root = root
        self.host_key = host_key
        self._user_key = user_key
        self._faults = faults
        self._links: dict[_Link, paramiko.Transport] = {}
        self._lock = threading.Lock()
        self.socket = _bound(port)
        self.port: int = self.socket.getsockname()[1]

    def open(self) -> None:
        """Let connections wait for `accept` from now on."""
        self.socket.listen(_BACKLOG)

    def shut(self) -> None:
        """Refuse new connections, and keep the port from others."""
        self.socket.close()
        self.socket = _bound(self.port)

    def accept(self) -> None:
        """Take a connection that waits; returns at once."""
        try:
            sock, _ = self.socket.accept()
        except OSError:
            return
        link = _Link(sock, self._faults)
        transport = _Transport(cast("socket.socket", link))
        transport.local_version = _BANNER
        transport.add_server_key(self.host_key)
        transport.set_log_channel(LOG)
        with self._lock:
            self._links = {link: old for link, old in self._links.items() if old.is_alive()}
            self._links[link] = transport
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            interface = _Interface(self._root, self._user_key, rubbish=self._faults.rubbish)
            transport.start_server(threading.Event(), interface)

    def cut(self) -> None:
        """Close every connection at once, without a word."""
        with self._lock:
            links = list(self._links)
            self._links.clear()
        for link in links:
            link.close()

    def hang(self) -> None:
        """Let every connection fall silent, without closing it."""
        with self._lock:
            for link in self._links:
                link.silent.set()

    def close(self) -> None:
        """Give up the port and all connections, and wait a moment for their threads."""
        self.socket.close()
        with self._lock:
            transports = list(self._links.values())
        self.cut()
        for transport in transports:
            transport.join(_JOIN_S)


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.settimeout(0)
    try:
        try:
            sock.bind((HOST, port))
        except OSError as error:
            if not port or error.errno != errno.EADDRINUSE:
                raise
            sock.bind((HOST, 0))
    except OSError as error:
        sock.close()
        message = f"no port of {HOST} for a virtual board: {error.strerror}"
        raise UsageError(message, hint="ask for fewer boards") from error
    return sock


def quieten() -> None:
    """Keep paramiko's account of broken connections, which are expected here, to itself."""
    logger = logging.getLogger(LOG)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
