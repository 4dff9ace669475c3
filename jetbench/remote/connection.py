"""How boards are reached: everything that several of them share is loaded and opened once.

A connection is fabric's, with three things of our own in it. fabric trusts every host key
(it adds unknown ones and knows none): here a key is checked against known_hosts before
anything else is sent. It parses a private key for each connection: here keys are loaded
once. And it reads ssh_config for each connection: `jetbench.remote.address` does it once.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar, cast

from paramiko import ChannelException

from jetbench.domain.errors import BoardError, LoginError, UnreachableError
from jetbench.formats.words import printable
from jetbench.remote.address import Addresses
from jetbench.remote.handshake import (
    Gate,
    PlainConnection,
    client_transport,
    host_key,
    raise_handshake,
)
from jetbench.remote.hostkeys import KnownHosts
from jetbench.remote.identities import Identities
from jetbench.remote.link import ExecChannel, Link
from jetbench.remote.login import KeyLogin, NotAcceptedError, TryAgainError, login_error
from jetbench.remote.sockets import BROKEN, Tunnel, Wire, dial, run_proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from paramiko import Transport
    from typing_extensions import Self

    from jetbench.domain.board import Board
    from jetbench.remote.address import Hop
    from jetbench.remote.hostkeys import HostKey, KnownKey
    from jetbench.remote.identities import Identity

__all__ = ["Connector", "ExecChannel", "Link"]

_T = TypeVar("_T")

_GATEWAY_IN_FLIGHT = 8
_GATEWAY_FAILURE_S = 10.0
_ATTEMPTS = 6
_RETRY_S = 0.25
_CHANNEL_TIMEOUT_S = 30.0


class Connector:
    """Opens connections to boards. Made once for a run, shared by all of its threads.

    Args:
        ssh_config: The file to read; None for the user's and the system's.
        ask_passphrase: Called with the path of a key file, returns its passphrase; None
            where nobody can be asked.
        connect_timeout_s: For each of TCP connect, SSH handshake and login.
        in_flight: How many handshakes are under way at once.
    """

    def __init__(
        self,
        *,
        ssh_config: Path | None = None,
        ask_passphrase: Callable[[str], str] | None = None,
        connect_timeout_s: float = 15.0,
        in_flight: int = 16,
    ) -> None:
        self.known_hosts: Final = KnownHosts()
        self._addresses = Addresses(ssh_config)
        self._identities = Identities(ask_passphrase)
        self._timeout_s = connect_timeout_s
        self._slots = threading.BoundedSemaphore(in_flight)
        self._gateways: dict[tuple[Hop, ...], _Gateway] = {}
        self._lock = threading.Lock()
        # paramiko logs what it also raises, with tracebacks, and Python prints what nobody
        # has asked to be logged. Whoever wants to see it sets a level before.
        logger = logging.getLogger("paramiko")
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.CRITICAL)

    def __enter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the connections to jump hosts, with all that go through them, and the agent's."""
        with self._lock:
            gateways = list(self._gateways.items())
            self._gateways.clear()
        for _, gateway in sorted(gateways, key=lambda item: -len(item[0])):
            if gateway.opened is not None:
                gateway.opened.close()
        self._identities.close()

    def route(self, board: Board) -> tuple[Hop, ...]:
        """The servers on the way to a board, in order, the board last.

        Raises:
            UnreachableError: ssh_config or the board's `jump` makes no sense.
        """
        return self._addresses.route(board)

    def connect(self, board: Board) -> Link:
        """Open a connection to a board, and log in. Five round trips where it is direct.

        Raises:
            UnreachableError: It, or a jump host, is not there or does not speak SSH.
            UnknownHostKeyError: Its host key has never been enrolled.
            ChangedHostKeyError: It shows another host key than the one that was.
            HostKeyError: Its host key was revoked.
            LoginError: It takes none of our keys.
        """
        opened = self._open(self.route(board), board.name)
        return Link(opened.transport, opened.close, direct=opened.wire.direct)

    def known_keys(self, hop: Hop) -> tuple[KnownKey, ...]:
        """What known_hosts files say of a server."""
        files = (*hop.known_hosts, *hop.system_known_hosts)
        return self.known_hosts.lookup(files, hop.known_as)

    def fetch_host_key(self, route: tuple[Hop, ...], board: str) -> HostKey:
        """The key that the last server of a route shows, without logging in there.

        Raises:
            BoardError: As `connect` does for the servers before it.
        """

        def attempt() -> HostKey:
            hop = route[-1]
            with self._wired(route, board) as wire:
                transport = client_transport(wire.sock, self.known_keys(hop), self._timeout_s)
                started_s = time.monotonic()
                try:
                    transport.start_client(timeout=self._timeout_s)
                    return host_key(transport.get_remote_server_key())
                except BROKEN as error:
                    raise_handshake(
                        error, hop, wire, time.monotonic() - started_s, self._timeout_s
                    )
                finally:
                    transport.close()
                    wire.close()

        return _persist(attempt)

    def _open(self, route: tuple[Hop, ...], board: str) -> _Opened:
        hop = route[-1]
        offered = self._identities.ready(hop)
        refusal: NotAcceptedError | None = None
        if offered:
            try:
                return _persist(lambda: self._attempt(route, board, self._identities.ready(hop)))
            except NotAcceptedError as error:
                refusal = error
        # Only now, with no connection waiting, is anybody asked for a passphrase.
        try:
            further = self._identities.locked(hop)
        except LoginError as error:
            raise login_error(hop, refusal, locked=error) from None
        if further:
            try:
                return _persist(lambda: self._attempt(route, board, further))
            except NotAcceptedError as error:
                refusal = error
        raise login_error(hop, refusal) from None

    def _attempt(self, route: tuple[Hop, ...], board: str, offered: Sequence[Identity]) -> _Opened:
        hop = route[-1]
        known = self.known_keys(hop)
        with self._wired(route, board) as wire:
            gate = Gate(hop, known, board)
            connection = PlainConnection(
                hop.host,
                user=hop.user,
                port=hop.port,
                connect_timeout=math.ceil(self._timeout_s),
                connect_kwargs={
                    "sock": wire.sock,
                    "auth_timeout": self._timeout_s,
                    "channel_timeout": _CHANNEL_TIMEOUT_S,
                    "auth_strategy": KeyLogin(hop, gate, offered, self._timeout_s),
                    "transport_factory": lambda sock, **options: client_transport(
                        sock, known, self._timeout_s, **options
                    ),
                },
            )
            connection.client.set_missing_host_key_policy(gate)
            started_s = time.monotonic()
            try:
                self._identities.accepted(connection.open())
            except BROKEN as error:
                connection.client.close()
                raise_handshake(error, hop, wire, time.monotonic() - started_s, self._timeout_s)
            except BaseException:
                connection.client.close()
                raise
            return _Opened(connection, wire)

    @contextmanager
    def _wired(self, route: tuple[Hop, ...], board: str) -> Iterator[Wire]:
        """A wire to the last server of a route, and leave to shake hands over it.

        It is closed where the block fails.
        """
        hop = route[-1]
        if len(route) == 1:
            wire = run_proxy(hop.proxy_command) if hop.proxy_command else self._dial(hop)
            with _closing_on_failure(wire), self._slots:
                yield wire
            return
        gateway = self._gateway(route[:-1], board)
        with gateway.slots:
            wire = self._tunnel(gateway, hop)
            with _closing_on_failure(wire), self._slots:
                yield wire

    def _dial(self, hop: Hop) -> Wire:
        return dial(hop.host, hop.port, self._timeout_s)

    def _tunnel(self, gateway: _Gateway, hop: Hop) -> Wire:
        assert gateway.opened is not None  # noqa: S101 - by _gateway
        where, via = f"{hop.host}:{hop.port}", gateway.hop
        transport = gateway.opened.transport
        hint = f"is it on? try on {via.host}: ssh -p {hop.port} {hop.host}"
        started_s = time.monotonic()
        try:
            channel = transport.open_channel(
                "direct-tcpip",
                (hop.host, hop.port),
                ("127.0.0.1", 0),
                timeout=self._timeout_s,
            )
        except BROKEN as error:
            reason = "it does not answer"
            if isinstance(error, ChannelException):
                reason = printable(error.text, 200)
            message = f"the jump host {via} cannot reach {where}: {reason}"
            failure = UnreachableError(message, hint=hint)
            quick = time.monotonic() - started_s < self._timeout_s
            if quick and not transport.is_active():
                raise TryAgainError(failure) from None
            raise failure from None
        return Wire(Tunnel(channel), direct=False)

    def _gateway(self, route: tuple[Hop, ...], board: str) -> _Gateway:
        """The one connection that all share who go this way."""
        if len(route) > 1:
            self._gateway(route[:-1], board)
        with self._lock:
            gateway = self._gateways.setdefault(route, _Gateway(route[-1]))
        with gateway.lock:
            if gateway.opened is not None and gateway.opened.transport.is_active():
                return gateway
            if gateway.failure is not None and time.monotonic() < gateway.fails_until_s:
                raise _again(gateway.failure)
            try:
                gateway.opened = self._open(route, board)
            except BoardError as error:
                # Who waits for the same jump host need not find out by himself.
                gateway.failure = _again(error, f"jump host {gateway.hop}: ")
                gateway.fails_until_s = time.monotonic() + _GATEWAY_FAILURE_S
                raise gateway.failure from None
            return gateway


@dataclass(slots=True)
class _Opened:
    """A connection that is logged in."""

    connection: PlainConnection
    wire: Wire

    @property
    def transport(self) -> Transport:
        return cast("Transport", self.connection.transport)

    def close(self) -> None:
        with suppress(*BROKEN):
            self.connection.close()
        self.wire.close()


class _Gateway:
    """A jump host, which many boards are reached through."""

    def __init__(self, hop: Hop) -> None:
        self.hop = hop
        self.lock = threading.Lock()
        self.slots = threading.BoundedSemaphore(_GATEWAY_IN_FLIGHT)
        self.opened: _Opened | None = None
        self.failure: BoardError | None = None
        self.fails_until_s = 0.0


@contextmanager
def _closing_on_failure(wire: Wire) -> Iterator[None]:
    try:
        yield
    except BaseException:
        wire.close()
        raise


def _persist(attempt: Callable[[], _T]) -> _T:
    """Try again, after a while that grows, what may well work the next time."""
    for number in range(_ATTEMPTS):
        try:
            return attempt()
        except TryAgainError as error:
            if number == _ATTEMPTS - 1:
                raise error.failure from None
        # Not all at the same moment again.
        time.sleep(_RETRY_S * 2**number * random.uniform(0.5, 1.5))  # noqa: S311
    raise AssertionError


def _again(error: BoardError, prefix: str = "") -> BoardError:
    """A copy of an error: each thread raises its own."""
    return type(error)(prefix + error.message, hint=error.hint)
