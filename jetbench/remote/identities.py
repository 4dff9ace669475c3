"""The keys we log in with: files and those of an agent, each loaded once for all boards."""

from __future__ import annotations

import base64
import binascii
import re
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from paramiko import SSHException
from paramiko.agent import AgentKey, AgentSSH
from paramiko.pkey import PKey, UnknownKeyType

from jetbench.domain.errors import LoginError
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from paramiko.message import Message, _LikeBytes

    from jetbench.remote.address import Hop

MAX_OFFERED = 5
"""A server cuts the connection after six attempts (MaxAuthTries)."""
_PASSPHRASE_ATTEMPTS = 3
_AGENT_TIMEOUT_S = 20.0
_MAGIC = b"openssh-key-v1\0"
_BODY = re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END", re.DOTALL)
_ENCRYPTED = re.compile(rb"^(Proc-Type: 4,ENCRYPTED|-----BEGIN ENCRYPTED)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Identity:
    """A key that can sign."""

    label: str
    """Which one it is, for messages: never a secret."""
    key: PKey


class Identities:
    """All keys of a run. Safe to share between threads.

    Args:
        ask_passphrase: Called with the path of a key file; returns its passphrase. At most
            one question is open at a time. None where nobody can be asked.
    """

    def __init__(self, ask_passphrase: Callable[[str], str] | None) -> None:
        self._ask = ask_passphrase
        self._asking = threading.Lock()
        self._lock = threading.Lock()
        self._files: dict[Path, _KeyFile] = {}
        self._agents: dict[str, _Agent] = {}
        self._accepted: set[bytes] = set()

    def ready(self, hop: Hop) -> tuple[Identity, ...]:
        """The keys to offer a server, without a question to anybody.

        The one key that the inventory names is the exception: it is the only one that is
        offered, so that its passphrase is asked for if need be.

        Raises:
            LoginError: The key that the inventory names cannot be used.
        """
        agent = self._agent(hop.agent_socket)
        if hop.key is not None:
            file = self._file(hop.key)
            if not file.exists:
                message = f"the key file {hop.key} does not exist or cannot be read"
                raise LoginError(message, hint="see `key` in the inventory")
            return (agent.holding(file) or self._unlocked(file),)
        named = self._usable(hop.named_keys, agent)
        others = agent.willing if hop.offers_agent else ()
        offered = [*named, *others, *self._usable(hop.default_keys, agent)]
        unique = {identity.key.asbytes(): identity for identity in reversed(offered)}
        first_seen = list(reversed(unique.values()))
        # What one board accepts its neighbours do, too: that saves a round trip a key.
        first_seen.sort(key=lambda identity: identity.key.asbytes() not in self._accepted)
        return tuple(first_seen[:MAX_OFFERED])

    def locked(self, hop: Hop) -> tuple[Identity, ...]:
        """The further keys that a server could be offered once their passphrase is known.

        Asks for the passphrases, where there is somebody to ask.

        Raises:
            LoginError: A passphrase was wrong three times.
        """
        if hop.key is not None or self._ask is None:
            return ()
        agent = self._agent(hop.agent_socket)
        files = [self._file(path) for path in (*hop.named_keys, *hop.default_keys)]
        wanted = [file for file in files if file.locked and agent.holding(file) is None]
        return tuple(self._unlocked(file) for file in wanted[:MAX_OFFERED])

    def accepted(self, identity: Identity) -> None:
        """Remember that a server took this key."""
        self._accepted.add(identity.key.asbytes())

    def close(self) -> None:
        """Let go of the agents."""
        with self._lock:
            for agent in self._agents.values():
                agent.close()

    @staticmethod
    def refused(identity: Identity) -> bool:
        """Whether the agent would not sign with this key; it is not offered again."""
        return isinstance(identity.key, _AgentKey) and identity.key.refused

    def _usable(self, paths: Iterable[Path], agent: _Agent) -> list[Identity]:
        found = []
        for path in paths:
            file = self._file(path)
            held = agent.holding(file)
            if held is not None:
                found.append(held)
            elif file.exists and not file.locked:
                try:
                    found.append(self._unlocked(file))
                except LoginError:  # a file that nobody asked for by name may be broken
                    continue
        return found

    def _file(self, path: Path) -> _KeyFile:
        with self._lock:
            if path not in self._files:
                self._files[path] = _KeyFile(path)
            return self._files[path]

    def _agent(self, path: str | None) -> _Agent:
        if path is None:
            return _Agent(None)
        with self._lock:
            if path not in self._agents:
                self._agents[path] = _Agent(path)
            return self._agents[path]

    def _unlocked(self, file: _KeyFile) -> Identity:
        with file.lock:
            if file.failure is not None:
                raise LoginError(file.failure.message, hint=file.failure.hint)
            if file.identity is None:
                try:
                    file.identity = Identity(str(file.path), self._load(file))
                except LoginError as error:
                    file.failure = error
                    raise
            return file.identity

    def _load(self, file: _KeyFile) -> PKey:
        if not file.encrypted:
            return file.load(None)
        if self._ask is None:
            message = f"the key {file.path} has a passphrase, and there is nobody to ask for it"
            raise LoginError(message, hint=f"ssh-add {file.path}")
        with self._asking:
            for _ in range(_PASSPHRASE_ATTEMPTS):
                passphrase = self._ask(str(file.path))
                try:
                    return file.load(passphrase)
                except LoginError:
                    continue
        message = f"wrong passphrase for the key {file.path}, {_PASSPHRASE_ATTEMPTS} times"
        raise LoginError(message)


class _KeyFile:
    """A private key file, read once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.identity: Identity | None = None
        self.failure: LoginError | None = None
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        self.exists = bool(data)
        self.encrypted, self.public = inspect_key(data)
        if self.public is None:
            self.public = _public_half(path)

    @property
    def locked(self) -> bool:
        """Whether it takes a passphrase that has not been given yet."""
        return self.encrypted and self.identity is None and self.failure is None

    def load(self, passphrase: str | None) -> PKey:
        try:
            # Positional: paramiko 5 has renamed the argument. Bytes: what it says it takes,
            # a str, is refused by the library underneath.
            password = cast(
                "str | None", passphrase.encode("utf-8", "surrogateescape") if passphrase else None
            )
            return PKey.from_path(self.path, password)
        except (SSHException, UnknownKeyType, OSError, ValueError, TypeError) as error:
            reason = printable(str(error), 100) if not self.encrypted else "wrong passphrase"
            message = f"the key {self.path} cannot be used: {reason}"
            hint = f"ssh-keygen -y -f {self.path} shows whether it is sound"
            raise LoginError(message, hint=hint) from None


class _Agent:
    """The keys of an ssh-agent; none where there is no agent."""

    def __init__(self, path: str | None) -> None:
        self.identities: tuple[Identity, ...] = ()
        self._connection: socket.socket | None = None
        if path is None or not hasattr(socket, "AF_UNIX"):
            return
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_AGENT_TIMEOUT_S)
        agent = AgentSSH()
        try:
            connection.connect(path)
            # paramiko's public door, Agent(), knows no other socket than $SSH_AUTH_SOCK.
            agent._connect(connection)  # type: ignore[attr-defined]  # noqa: SLF001
        except (OSError, SSHException):
            connection.close()
            return
        self._connection = connection
        lock = threading.Lock()
        self.identities = tuple(
            Identity(f"{printable(key.comment, 80)} (agent)", _AgentKey(key, lock))
            for key in agent.get_keys()
        )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    @property
    def willing(self) -> list[Identity]:
        """Those that have not failed to sign yet."""
        return [identity for identity in self.identities if not Identities.refused(identity)]

    def holding(self, file: _KeyFile) -> Identity | None:
        """The agent's own copy of a key file, which needs no passphrase."""
        if file.public is None:
            return None
        same = (item for item in self.willing if item.key.asbytes() == file.public)
        return next(same, None)


class _AgentKey(AgentKey):
    """A key of an agent whose one socket many threads share."""

    def __init__(self, key: AgentKey, lock: threading.Lock) -> None:
        super().__init__(key.agent, key.blob, key.comment)
        self._lock = lock
        self.refused = False

    def sign_ssh_data(self, data: _LikeBytes, algorithm: str | None = None) -> Message:
        try:
            with self._lock:
                return super().sign_ssh_data(data, algorithm)
        except (SSHException, OSError):
            # This ends the connection in paramiko; the next one does without the key.
            self.refused = True
            raise


def inspect_key(data: bytes) -> tuple[bool, bytes | None]:
    """Look at a private key file without its passphrase.

    The format of OpenSSH is described in its source, PROTOCOL.key.

    Returns:
        Whether it is encrypted, and its public half where the file tells it.
    """
    body = _BODY.search(data)
    if body is None:
        return _ENCRYPTED.search(data) is not None, None
    try:
        raw = base64.b64decode(body[1])
    except binascii.Error:
        return False, None
    if not raw.startswith(_MAGIC):
        return False, None
    cipher, rest = _string(raw[len(_MAGIC) :])
    _, rest = _string(rest)  # how the key is derived from the passphrase
    _, rest = _string(rest)  # with which parameters
    public, _ = _string(rest[4:])  # after the number of keys, which is always one
    return cipher != b"none", public or None


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A string of RFC 4251, section 5, and what follows it."""
    end = 4 + int.from_bytes(data[:4], "big")
    return data[4:end], data[end:]


def _public_half(path: Path) -> bytes | None:
    try:
        words = path.with_name(path.name + ".pub").read_text("ascii").split()
        return base64.b64decode(words[1])
    except (OSError, ValueError, IndexError):
        return None
