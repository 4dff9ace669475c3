"""Which servers lie on the way to a board, and how each is spoken to.

The inventory has the first word, then ssh_config (ssh_config(5)), then ssh's defaults.
paramiko matches ``Host`` and ``Match``; what it lacks is done here: ``Include``,
``ProxyJump none``, which of ProxyJump and ProxyCommand comes first, and tokens without a
question to the name server.
"""

from __future__ import annotations

import getpass
import glob
import os
import re
import shlex
import socket
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from paramiko import SSHConfig, SSHException

from jetbench.domain.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jetbench.domain.board import Board

SSH_PORT = 22
_SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")
_SYSTEM_KNOWN_HOSTS = (
    Path("/etc/ssh/ssh_known_hosts"),
    Path("/etc/ssh/ssh_known_hosts2"),
)
_MAX_INCLUDES = 16
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Hop:
    """One SSH server on the way to a board; the last one is the board."""

    host: str
    port: int
    user: str
    known_as: str
    """The name that known_hosts files have for it."""
    known_hosts: tuple[Path, ...]
    """The user's files; a new key goes into the first."""
    system_known_hosts: tuple[Path, ...]
    hash_known_hosts: bool
    key: Path | None
    """The only key to offer, from the inventory."""
    named_keys: tuple[Path, ...]
    """Offered first."""
    default_keys: tuple[Path, ...]
    """Offered last."""
    offers_agent: bool
    """Whether keys of the agent that no file names are offered."""
    agent_socket: str | None
    """None: there is no agent."""
    proxy_command: str | None

    def __str__(self) -> str:
        """``user@host:port``."""
        return f"{self.user}@{self.host}:{self.port}"


class Addresses:
    """Finds the way to boards. Safe to share between threads.

    Args:
        ssh_config: The only file to read; None for the user's and the system's.
    """

    def __init__(self, ssh_config: Path | None = None) -> None:
        self._path = ssh_config
        self._config: _Config | None = None
        self._here = _Here()
        self._lock = threading.Lock()

    def route(self, board: Board) -> tuple[Hop, ...]:
        """The servers to go through, in order, ending with the board.

        Raises:
            UnreachableError: ssh_config or the board's `jump` makes no sense.
        """
        options = self._lookup(board.host, board.user, board.port)
        jumps, command = options.proxy()
        if board.jump is not None:
            jumps, command = board.jump, None
        route = self._through(jumps, board, seen=(board.host,))
        return (*route, self._target(options, board, command))

    def _through(
        self, jumps: str | None, board: Board, *, seen: tuple[str, ...]
    ) -> tuple[Hop, ...]:
        """The hops of a ProxyJump, the first of which may have a way of its own."""
        if jumps is None or jumps.strip().lower() in {"", "none"}:
            return ()
        route: tuple[Hop, ...] = ()
        for index, word in enumerate(jumps.split(",")):
            user, alias, port = _destination(word.strip())
            options = self._lookup(alias, user, port)
            further, command = options.proxy() if index == 0 else (None, None)
            if further is not None and _leads_to(further, alias):
                further = None  # ``Host *`` speaks of the jump host, too
            if further is not None:
                if alias in seen:
                    message = f"its jump hosts go round in a circle: {' > '.join((*seen, alias))}"
                    raise UnreachableError(message, hint="see ProxyJump in ssh_config")
                route = self._through(further, board, seen=(*seen, alias))
            route = (*route, self._jump_host(options, board, command))
        return route

    @staticmethod
    def _target(options: _Options, board: Board, command: str | None) -> Hop:
        """The board itself, for which the inventory has the first word."""
        hop = options.hop(command)
        if board.known_hosts:
            hop = replace(hop, known_hosts=(_path(board.known_hosts),))
        if board.key:
            hop = replace(hop, key=_path(board.key), offers_agent=False)
        return hop

    @staticmethod
    def _jump_host(options: _Options, board: Board, command: str | None) -> Hop:
        """A server on the way, which may share what the inventory names for the board."""
        hop = options.hop(command)
        if board.known_hosts:
            hop = replace(hop, known_hosts=(_path(board.known_hosts), *hop.known_hosts))
        if board.key:
            hop = replace(hop, named_keys=(_path(board.key), *hop.named_keys))
        return hop

    def _lookup(self, alias: str, user: str | None, port: int | None) -> _Options:
        with self._lock:
            try:
                if self._config is None:
                    self._config = _read(self._path)
                found = self._config.lookup(alias)
            except (SSHException, OSError, ValueError) as error:
                message = f"ssh_config cannot be used: {error}"
                hint = f"ssh -G {alias} shows what ssh makes of it"
                raise UnreachableError(message, hint=hint) from None
        return _Options(found, self._here, alias=alias, user=user, port=port)


class _Here:
    """What is the same for all boards: this machine and its user."""

    def __init__(self) -> None:
        self.home = Path.home()
        self.user = getpass.getuser()
        self.name = socket.gethostname()
        folder = self.home / ".ssh"
        self.known_hosts = (folder / "known_hosts", folder / "known_hosts2")
        self.default_keys = tuple(folder / f"id_{kind}" for kind in ("ed25519", "ecdsa", "rsa"))


class _Config(SSHConfig):
    # Expanding is done by _Options: paramiko looks the machine's own name up in the DNS
    # for every value, needed or not, which can take seconds.
    TOKENS_BY_CONFIG_KEY = {  # noqa: RUF012 - the base class has it so
        "match-exec": SSHConfig.TOKENS_BY_CONFIG_KEY["match-exec"]
    }


class _Options:
    """What ssh_config says of one host, where nothing else has been said of it before."""

    def __init__(
        self,
        found: Mapping[str, object],
        here: _Here,
        *,
        alias: str,
        user: str | None,
        port: int | None,
    ) -> None:
        self._found = found
        self._here = here
        self._alias = alias
        self._host = _expanded(self._text("hostname") or alias, {"h": alias, "%": "%"})
        # In lower case, and with no brackets, as known_hosts has it.
        self._host = self._host.strip("[]").lower()
        self._user = user or self._text("user") or here.user
        self._port = port or self._own_port()

    def proxy(self) -> tuple[str | None, str | None]:
        """(ProxyJump, ProxyCommand), of which the one that comes first counts."""
        for name in self._found:
            if name == "proxycommand":
                return None, self._text(name)
            if name == "proxyjump":
                return _expanded(self._text(name) or "", self._tokens()), None
        return None, None

    def hop(self, command: str | None) -> Hop:
        """The server, reached by `command` or directly."""
        tokens = self._tokens()
        port = self._port
        known_as = self._text("hostkeyalias")
        if known_as is None:
            known_as = self._host if port == SSH_PORT else f"[{self._host}]:{port}"
        named = self._identities(tokens)
        return Hop(
            host=self._host,
            port=port,
            user=self._user,
            known_as=known_as.lower(),
            known_hosts=self._paths("userknownhostsfile", tokens, self._here.known_hosts),
            system_known_hosts=self._paths("globalknownhostsfile", tokens, _SYSTEM_KNOWN_HOSTS),
            hash_known_hosts=self._says("hashknownhosts"),
            key=None,
            named_keys=named or (),
            default_keys=self._here.default_keys if named is None else (),
            offers_agent=not self._says("identitiesonly"),
            agent_socket=self._agent(tokens),
            proxy_command=_expanded(command, tokens) if command else None,
        )

    def _text(self, name: str) -> str | None:
        value = self._found.get(name)
        return value if isinstance(value, str) else None

    def _says(self, name: str) -> bool:
        return (self._text(name) or "no").lower() in {"yes", "true"}

    def _own_port(self) -> int:
        text = self._text("port")
        if text is None:
            return SSH_PORT
        if not text.isdigit() or not 0 < int(text) <= _MAX_PORT:
            message = f"ssh_config: Port {text} is no port"
            raise UnreachableError(message, hint=f"see Host {self._alias} in ssh_config")
        return int(text)

    def _identities(self, tokens: dict[str, str]) -> tuple[Path, ...] | None:
        """The files of IdentityFile; None where it is not given."""
        value = self._found.get("identityfile")
        if not isinstance(value, list):
            return None
        return tuple(_path(name, tokens) for name in value if name.lower() != "none")

    def _agent(self, tokens: dict[str, str]) -> str | None:
        """The agent's socket."""
        value = self._text("identityagent") or "SSH_AUTH_SOCK"
        if value.lower() == "none":
            return None
        if value == "SSH_AUTH_SOCK" or value.startswith("$"):
            return os.environ.get(value.strip("${}")) or None
        return str(_path(value, tokens))

    def _paths(
        self, name: str, tokens: dict[str, str], default: tuple[Path, ...]
    ) -> tuple[Path, ...]:
        text = self._text(name)
        if text is None:
            return default
        words = shlex.split(text)
        return tuple(_path(word, tokens) for word in words if word.lower() != "none")

    def _tokens(self) -> dict[str, str]:
        """The tokens of ssh_config(5) that need no question to the name server."""
        here = self._here
        return {
            "%": "%",
            "d": str(here.home),
            "h": self._host,
            "k": self._text("hostkeyalias") or self._alias,
            "L": here.name.partition(".")[0],
            "l": here.name,
            "n": self._alias,
            "p": str(self._port),
            "r": self._user,
            "u": here.user,
        }


def _read(path: Path | None) -> _Config:
    config = _Config()
    if path is not None:
        config.parse(_lines(path.expanduser(), Path.home() / ".ssh"))
        return config
    user = Path.home() / ".ssh" / "config"
    for file in (user, _SYSTEM_CONFIG):
        if file.is_file():
            config.parse(_lines(file, file.parent))
    return config


def _lines(path: Path, folder: Path, depth: int = 0) -> Iterator[str]:
    """A file's lines, those of files that it includes in their places."""
    if depth > _MAX_INCLUDES:
        message = f"{path}: too many Includes in one another"
        raise ValueError(message)
    block = "Host *"
    for line in path.read_text("utf-8", "surrogateescape").splitlines():
        word, _, rest = line.strip().replace("=", " ", 1).replace("\t", " ").partition(" ")
        if word.lower() in {"host", "match"}:
            block = line
        if word.lower() != "include":
            yield line
            continue
        for pattern in shlex.split(rest):
            wanted = str(folder / os.path.expanduser(pattern))  # noqa: PTH111 - a pattern
            for file in sorted(glob.glob(wanted)):  # noqa: PTH207 - it may be absolute
                yield from _lines(Path(file), folder, depth + 1)
        yield block  # what follows belongs to the block that the Include stood in


def _destination(text: str) -> tuple[str | None, str, int | None]:
    """``[user@]host[:port]`` or ``ssh://…``; an IPv6 address with a port in brackets."""
    found = re.fullmatch(
        r"(?:ssh://)?(?:(?P<user>.+)@)?"
        r"(?:\[(?P<bracketed>[^]]+)\]|(?P<host>[^:@\[]+)|(?P<v6>[0-9a-fA-F:.]+))"
        r"(?::(?P<port>\d+))?/?",
        text,
    )
    if found is None or int(found["port"] or 1) not in range(1, _MAX_PORT + 1):
        message = f"the jump host {text!r} is not of the form user@host:port"
        raise UnreachableError(
            message, hint="see `jump` in the inventory, ProxyJump in ssh_config"
        )
    host = found["bracketed"] or found["host"] or found["v6"]
    return found["user"], host, int(found["port"]) if found["port"] else None


def _leads_to(jumps: str, alias: str) -> bool:
    words = [word for word in jumps.split(",") if word.strip().lower() not in {"", "none"}]
    return any(_destination(word.strip())[1] == alias for word in words)


def _path(name: str, tokens: dict[str, str] | None = None) -> Path:
    expanded = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], ""), name)
    return Path(_expanded(expanded, tokens) if tokens else expanded).expanduser()


def _expanded(text: str, tokens: dict[str, str]) -> str:
    return re.sub("%(.)", lambda found: tokens.get(found[1], found[0]), text)
