"""Logging in with keys that are loaded already."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from paramiko import AuthenticationException, BadAuthenticationType, SSHConfig
from paramiko.auth_strategy import AuthStrategy, InMemoryPrivateKey

from jetbench.domain.errors import BoardError, HostKeyError, LoginError, UnreachableError
from jetbench.remote.address import SSH_PORT
from jetbench.remote.identities import Identities
from jetbench.remote.sockets import BROKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

    from paramiko import Transport
    from paramiko.auth_strategy import AuthSource

    from jetbench.remote.address import Hop
    from jetbench.remote.handshake import Gate
    from jetbench.remote.identities import Identity

_NOTHING = SSHConfig()


class TryAgainError(Exception):
    """A connection that failed in a way that the next one may not.

    Args:
        failure: What to say if the last attempt ends so, too.
    """

    def __init__(self, failure: BoardError) -> None:
        super().__init__(failure.message)
        self.failure = failure


class NotAcceptedError(Exception):
    """The server took none of the keys.

    Args:
        tried: Those that were offered.
        reason: Why no further ones were; None where there were no further ones.
    """

    def __init__(self, tried: Sequence[Identity], reason: str | None = None) -> None:
        super().__init__(reason)
        self.tried = tuple(tried)
        self.reason = reason


class KeyLogin(AuthStrategy):
    """Offers keys in turn until the server takes one.

    Args:
        hop: The server.
        gate: Must have let the server's host key pass before any key is offered.
        identities: The keys.
        timeout_s: For all of them.
    """

    def __init__(
        self, hop: Hop, gate: Gate, identities: Sequence[Identity], timeout_s: float
    ) -> None:
        super().__init__(ssh_config=_NOTHING)
        self._hop = hop
        self._gate = gate
        self._identities = identities
        self._timeout_s = timeout_s

    def get_sources(self) -> Iterator[AuthSource]:
        """The keys, in the order in which they are offered."""
        for identity in self._identities:
            yield InMemoryPrivateKey(self._hop.user, identity.key)

    def authenticate(self, transport: Transport) -> Identity:  # type: ignore[override]
        """Log in.

        Returns:
            The key that was taken.

        Raises:
            HostKeyError: Nobody has checked who the server is.
            NotAcceptedError: None was.
            TryAgainError: A key of the agent could not be used, which ended the connection.
            UnreachableError: The server does not answer.
        """
        if not self._gate.passed:
            message = f"the host key of {self._hop} has not been checked"
            raise HostKeyError(message)
        deadline_s = time.monotonic() + self._timeout_s
        tried: list[Identity] = []
        for identity, source in zip(self._identities, self.get_sources(), strict=True):
            tried.append(identity)
            try:
                further = source.authenticate(transport)
            except BadAuthenticationType as error:
                takes = ", ".join(error.allowed_types)
                raise NotAcceptedError(tried, f"it takes no keys, but: {takes}") from None
            except (AuthenticationException, *BROKEN):
                if not transport.is_active():
                    self._cut(tried)
                if time.monotonic() >= deadline_s:
                    waited = f"{self._timeout_s:.0f} s"
                    message = f"{self._hop} does not answer to the login within {waited}"
                    raise UnreachableError(message, hint="is it overloaded?") from None
            else:
                if not further:
                    return identity
                reason = f"beyond a key it wants: {', '.join(further)}"
                raise NotAcceptedError(tried, reason)
        raise NotAcceptedError(tried)

    def _cut(self, tried: Sequence[Identity]) -> NoReturn:
        """Tell why the connection ended in the middle of the login."""
        reason = "it ended the connection"
        if Identities.refused(tried[-1]):
            message = f"the ssh-agent does not sign with the key {tried[-1].label}"
            raise TryAgainError(LoginError(message, hint="see ssh-add -l")) from None
        raise NotAcceptedError(tried, reason) from None


def login_error(
    hop: Hop, refusal: NotAcceptedError | None, *, locked: LoginError | None = None
) -> LoginError:
    """The words for a login that failed.

    Args:
        hop: The server.
        refusal: What it said; None where there was no key to offer.
        locked: Why further keys could not be offered.
    """
    if refusal is None and locked is not None:
        return LoginError(locked.message, hint=locked.hint)
    if refusal is None:
        message = f"there is no key to log in to {hop} with"
        hint = "name one with `key` in the inventory, ssh-add one, or make one: ssh-keygen"
        return LoginError(message, hint=hint)
    labels = ", ".join(identity.label for identity in refusal.tried)
    why = f"; {refusal.reason}" if refusal.reason else ""
    message = f"{hop} takes none of the keys offered: {labels}{why}"
    if locked is not None:
        return LoginError(f"{message}; further, {locked.message}", hint=locked.hint)
    if refusal.reason and len(refusal.tried) > 1:
        return LoginError(message, hint="name the one key to use with `key` in the inventory")
    port = f"-p {hop.port} " if hop.port != SSH_PORT else ""
    return LoginError(message, hint=f"ssh-copy-id -i KEY.pub {port}{hop.user}@{hop.host}")
