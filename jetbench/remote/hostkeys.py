"""Which host keys vouch for which hosts: known_hosts files, read once, looked up often.

Files are in the format of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". Reading one takes time in
proportion to its lines, and a key is decoded only when its host is asked for. Lines that
cannot be understood are passed over, as OpenSSH does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jetbench.domain.errors import (
    ChangedHostKeyError,
    HostKeyError,
    StoreError,
    UnknownHostKeyError,
)

try:
    import fcntl
except ImportError:  # not a POSIX system: there appending goes without a lock
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import IO

_HASHED = "|1|"
_HASHED_PARTS = 4


@dataclass(frozen=True, slots=True)
class HostKey:
    """The public key of a server."""

    type: str
    """As in a known_hosts line: ``ssh-ed25519``, ``ssh-rsa``, ``ecdsa-sha2-nistp256``."""
    blob: bytes
    """In the form of RFC 4253, section 6.6."""

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` prints it: ``SHA256:`` and unpadded base64."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def file_on_host(self) -> str:
        """Where OpenSSH keeps the key on the server it belongs to."""
        kind = self.type.removeprefix("ssh-").partition("-")[0]
        return f"/etc/ssh/ssh_host_{kind}_key.pub"

    def __str__(self) -> str:
        """Type and fingerprint, for people."""
        return f"{self.type} {self.fingerprint}"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that a known_hosts file names for a host."""

    key: HostKey
    file: Path
    line: int
    revoked: bool = False

    @property
    def place(self) -> str:
        """``FILE:LINE``."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a known_hosts file whose key has not been looked at yet."""

    number: int
    rest: str
    revoked: bool

    def key(self) -> HostKey | None:
        fields = self.rest.split(None, 2)
        try:
            blob = base64.b64decode(fields[1], validate=True)
        except (IndexError, ValueError):
            return None
        name = fields[0].encode("utf-8", "surrogateescape")
        # The blob begins with its own type: a line whose two types differ is damaged.
        if not blob.startswith(len(name).to_bytes(4, "big") + name):
            return None
        return HostKey(fields[0], blob)


@dataclass(slots=True)
class _File:
    """One known_hosts file, indexed by host."""

    plain: dict[str, list[_Line]] = field(default_factory=dict)
    hashed: list[tuple[bytes, bytes, _Line]] = field(default_factory=list)
    """(salt, HMAC-SHA1 of the name under it, line)."""
    patterns: list[tuple[tuple[str, ...], _Line]] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> _File:
        file = cls()
        for number, line in enumerate(text.split("\n"), 1):
            file._index(number, line)
        return file

    def _index(self, number: int, text: str) -> None:
        hosts, _, rest = text.strip().replace("\t", " ").partition(" ")
        revoked = hosts == "@revoked"
        if revoked:
            hosts, _, rest = rest.lstrip().partition(" ")
        # Certificates are not used, so an authority for them vouches for nothing here.
        if not hosts or hosts[0] in "#@":
            return
        line = _Line(number, rest, revoked)
        if hosts.startswith(_HASHED):
            self._index_hashed(hosts, line)
        elif any(character in hosts for character in "*?!"):
            self.patterns.append((tuple(hosts.lower().split(",")), line))
        else:
            for host in hosts.lower().split(","):
                self.plain.setdefault(host, []).append(line)

    def _index_hashed(self, hosts: str, line: _Line) -> None:
        parts = hosts.split("|")
        if len(parts) != _HASHED_PARTS:
            return
        try:
            salt, digest = (binascii.a2b_base64(part) for part in parts[2:])
        except ValueError:
            return
        self.hashed.append((salt, digest, line))

    def lines(self, name: str) -> list[_Line]:
        """The lines that speak of `name`, in the order of the file."""
        found = list(self.plain.get(name, ()))
        encoded = name.encode("utf-8", "surrogateescape")
        found += (
            line
            for salt, digest, line in self.hashed
            if hmac.digest(salt, encoded, "sha1") == digest
        )
        found += (line for patterns, line in self.patterns if _matches(patterns, name))
        return sorted(found, key=lambda line: line.number)


class KnownHosts:
    """All known_hosts files of a run. Safe to share between threads."""

    def __init__(self) -> None:
        self._files: dict[Path, _File] = {}
        self._lock = threading.Lock()

    def lookup(self, files: Iterable[Path], name: str) -> tuple[KnownKey, ...]:
        """The keys that any of `files` names for a host.

        Args:
            files: Those that do not exist or cannot be read name no keys.
            name: In lower case; with another port than 22 ``[host]:port``.
        """
        return tuple(
            KnownKey(key, path, line.number, line.revoked)
            for path in files
            for line in self._file(path).lines(name)
            if (key := line.key()) is not None
        )

    def add(self, path: Path, name: str, key: HostKey, *, hash_name: bool = False) -> bool:
        """Append a key to a file, which is created, with its folder, where it is missing.

        Args:
            path: The file.
            name: The host, as for `lookup`.
            key: What it shows.
            hash_name: Write the name so that it cannot be read back from the file.

        Returns:
            False where the file holds the key already.

        Raises:
            StoreError: The file cannot be written.
        """
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with open(number, "r+b") as file:  # noqa: PTH123 - it has a mode to be born with
                added = _append(file, name, key, hash_name=hash_name)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}"
            raise StoreError(message) from None
        with self._lock:
            self._files.pop(path, None)
        return added

    def _file(self, path: Path) -> _File:
        with self._lock:
            if path not in self._files:
                try:
                    text = path.read_text("utf-8", "surrogateescape")
                except OSError:
                    text = ""
                self._files[path] = _File.parse(text)
            return self._files[path]


def verify(shown: HostKey, known: Sequence[KnownKey], *, name: str, board: str) -> None:
    """Refuse a server that does not show a key it is known by.

    A server that is known by keys of other types only counts as changed: who sits in
    between can always offer another type.

    Args:
        shown: The key that the server has proved to own.
        known: What `KnownHosts.lookup` says of it.
        name: The name it was looked up by.
        board: The board's name in the inventory, for the hints.

    Raises:
        UnknownHostKeyError: Nothing is known of the server.
        ChangedHostKeyError: It is known by other keys.
        HostKeyError: The key was revoked.
    """
    for entry in known:
        if entry.revoked and entry.key == shown:
            message = f"its host key is REVOKED by {entry.place}: {shown}"
            raise HostKeyError(message, hint="do not connect; ask who revoked it, and why")
    trusted = [entry for entry in known if not entry.revoked]
    if any(entry.key == shown for entry in trusted):
        return
    if not trusted:
        message = f"its host key is not known here: {shown}"
        raise UnknownHostKeyError(message, hint=f"jetbench boards trust {board}")
    old = next((entry for entry in trusted if entry.key.type == shown.type), trusted[0])
    message = f"its host key HAS CHANGED: it shows {shown}, but {old.place} says {old.key}"
    hint = (
        "somebody may be in between, or the board was flashed anew; compare on the board's "
        f"own console: ssh-keygen -lf {shown.file_on_host}; if the change is expected: "
        f"ssh-keygen -R '{name}' -f {old.file}, then jetbench boards trust {board}"
    )
    raise ChangedHostKeyError(message, hint=hint)


def _matches(patterns: Iterable[str], name: str) -> bool:
    """Whether a list of patterns, negated ones among them, names a host."""
    matched = False
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        # Brackets stand for themselves, as in [host]:port; fnmatch would see a set.
        expression = re.escape(bare).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(expression, name, re.DOTALL):
            if bare != pattern:
                return False
            matched = True
    return matched


def _append(file: IO[bytes], name: str, key: HostKey, *, hash_name: bool) -> bool:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
    file.seek(0)
    data = file.read()
    lines = _File.parse(data.decode("utf-8", "surrogateescape")).lines(name)
    if any(line.key() == key and not line.revoked for line in lines):
        return False
    if hash_name:
        salt = secrets.token_bytes(20)
        digest = hmac.digest(salt, name.encode(), "sha1")
        name = _HASHED + "|".join(base64.b64encode(part).decode() for part in (salt, digest))
    line = f"{name} {key.type} {base64.b64encode(key.blob).decode()}\n"
    gap = b"\n" if data and not data.endswith(b"\n") else b""
    file.write(gap + line.encode())
    file.flush()
    os.fsync(file.fileno())
    return True
