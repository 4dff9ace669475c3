"""The first half of a connection: agreeing on SSH, and on who the server is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import fabric
from paramiko import MissingHostKeyPolicy, SSHConfig
from paramiko.config import SSHConfigDict

from jetbench.domain.errors import UnreachableError
from jetbench.formats.words import printable
from jetbench.remote.bounds import ENDLESS_GREETING, BoundedPacketizer, BoundedTransport
from jetbench.remote.hostkeys import HostKey, verify
from jetbench.remote.login import TryAgainError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from paramiko import PKey, SSHClient, Transport

    from jetbench.remote.address import Hop
    from jetbench.remote.hostkeys import KnownKey
    from jetbench.remote.sockets import Wire

_ALGORITHMS: Final = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""The signatures of a key type, where they have another name than the type."""


class _NoConfig(SSHConfig):
    def lookup(self, hostname: str) -> SSHConfigDict:
        return SSHConfigDict(hostname=hostname)


_NO_CONFIG: Final = _NoConfig()


class PlainConnection(fabric.Connection):  # type: ignore[misc]
    """A fabric connection that is told everything and so has nothing to look up.

    With its layers of configuration, asked at each access to an attribute, fabric would
    spend half as much again as the handshake takes.
    """

    authentication = SimpleNamespace(strategy_class=None)
    __setattr__ = object.__setattr__

    def __init__(self, host: str, **options: object) -> None:
        # One configuration each: they cannot be shared between threads.
        config = fabric.Config(
            defaults={"port": None, "user": None}, ssh_config=_NO_CONFIG, lazy=True
        )
        fixed = {"gateway": False, "forward_agent": False, "inline_ssh_env": False}
        super().__init__(host, config=config, **fixed, **options)

    def resolve_connect_kwargs(self, connect_kwargs: dict[str, object]) -> dict[str, object]:
        """They are complete."""
        return connect_kwargs


class Gate(MissingHostKeyPolicy):
    """Lets nothing pass but a server that shows a key it is known by.

    paramiko's own class lets everybody pass: so the login asks for `passed`, too, lest a
    gate that was never asked stand open.
    """

    def __init__(self, hop: Hop, known: Sequence[KnownKey], board: str) -> None:
        self._hop = hop
        self._known = known
        self._board = board
        self.passed = False

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:  # noqa: ARG002
        """Called for every server: paramiko itself is given no host keys."""
        verify(host_key(key), self._known, name=self._hop.known_as, board=self._board)
        self.passed = True


def client_transport(
    sock: object, known: Sequence[KnownKey], timeout_s: float, **options: object
) -> Transport:
    """A transport that asks the server for a key of a type it is known by."""
    transport = BoundedTransport(sock, packetizer_class=BoundedPacketizer, **options)  # type: ignore[arg-type]
    transport.banner_timeout = timeout_s
    transport.handshake_timeout = timeout_s
    security = transport.get_security_options()
    # With GCM the cipher itself vouches for each packet; the alternative is an HMAC that
    # paramiko compares byte by byte, a tenth of all the work of a sweep.
    gcm = tuple(cipher for cipher in security.ciphers if "gcm" in cipher)
    security.ciphers = tuple(dict.fromkeys((*gcm, *security.ciphers)))
    if known:
        first = [
            algorithm
            for entry in known
            for algorithm in _ALGORITHMS.get(entry.key.type, (entry.key.type,))
            if algorithm in security.key_types
        ]
        security.key_types = tuple(dict.fromkeys((*first, *security.key_types)))
    return transport


def raise_handshake(
    error: Exception, hop: Hop, wire: Wire, took_s: float, timeout_s: float
) -> NoReturn:
    """Translate what ended a handshake.

    Raises:
        TryAgainError: The server let nobody in at that moment.
        UnreachableError: There is no point in trying again.
    """
    where = f"{hop.host}:{hop.port}"
    if wire.process is not None and wire.process.poll() is not None:
        message = f"its ProxyCommand ended with status {wire.process.returncode}"
        raise UnreachableError(message, hint=f"try by hand: {hop.proxy_command}") from None
    if took_s >= timeout_s:
        message = f"{where} does not finish the SSH handshake within {timeout_s:.0f} s"
        raise UnreachableError(message, hint="is it overloaded? is that port SSH's?") from None
    text = str(error)
    if ENDLESS_GREETING in text:
        text = ENDLESS_GREETING
    elif isinstance(error, (EOFError, ConnectionError)) or "protocol banner" in text:
        message = f"{where} closes the connection before the SSH handshake is done"
        hint = "too many at once (MaxStartups)? is this host let in? is that port SSH's?"
        raise TryAgainError(UnreachableError(message, hint=hint)) from None
    message = f"no SSH with {where}: {printable(text, 200)}"
    raise UnreachableError(message, hint=f"does ssh -v -p {hop.port} {hop.host} work?") from None


def host_key(key: PKey) -> HostKey:
    """A key of paramiko's as a value."""
    return HostKey(key.get_name(), key.asbytes())
