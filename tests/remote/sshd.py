"""A real OpenSSH server for tests, on loopback, as the user who runs them."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jetbench.domain.board import Board


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def make_key(
    path: Path, kind: str = "ed25519", passphrase: str = "", bits: int | None = None
) -> Path:
    """A new private key, with its public half next to it."""
    size = [] if bits is None else ["-b", str(bits)]
    words = ["ssh-keygen", "-q", "-t", kind, *size, "-N", passphrase, "-C", path.name, "-f"]
    subprocess.run([*words, str(path)], check=True, stdin=subprocess.DEVNULL)
    return path


def public(key: Path) -> tuple[str, str]:
    """Type and base64 of a key's public half."""
    words = key.with_name(key.name + ".pub").read_text().split()
    return words[0], words[1]


def fingerprint(key: Path) -> str:
    """A key's fingerprint in the words of ssh-keygen."""
    told = subprocess.run(
        ["ssh-keygen", "-lf", f"{key}.pub"], check=True, capture_output=True, text=True
    )
    return told.stdout.split()[1]


@dataclass
class Sshd:
    """One server, with a folder of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    host_keys: tuple[Path, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Make the folder and the keys."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.host_keys:
            self.host_keys = (make_key(self.folder / "host_ed25519"),)
        self.key = make_key(self.folder / "id")
        self.authorized = self.folder / "authorized_keys"
        self.authorize(self.key)

    def authorize(self, *keys: Path) -> None:
        """Let exactly these keys in."""
        self.authorized.write_text("".join(" ".join(public(key)) + "\n" for key in keys))

    def start(self, *options: str) -> Sshd:
        """Start it, with further lines of sshd_config, which come first and so win."""
        lines = [
            *options,
            f"ListenAddress 127.0.0.1:{self.port}",
            *(f"HostKey {key}" for key in self.host_keys),
            f"AuthorizedKeysFile {self.authorized}",
            f"PidFile {self.folder}/pid",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "MaxStartups 500:30:1000",
            "LogLevel DEBUG1",
        ]
        config = self.folder / "sshd_config"
        config.write_text("\n".join(lines) + "\n")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)
        program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        assert program is not None
        log = (self.folder / "log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [program, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log
            )
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            if self.process.poll() is not None:
                break
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                if probe.recv(4) == b"SSH-":
                    return self
            time.sleep(0.02)
        pytest.skip(f"sshd does not start here: {self.log()[-300:]}")

    def log(self) -> str:
        """What it has logged so far."""
        return (self.folder / "log").read_text()

    def stop(self) -> None:
        """End it. Sessions that are open live on."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def board(self, name: str = "tx2-01", **more: object) -> Board:
        """The server as a board of an inventory."""
        values: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "key": str(self.key),
            "known_hosts": str(self.folder / "known_hosts"),
        }
        return Board(name=name, **{**values, **more})  # type: ignore[arg-type]

    def enrol(
        self, host: str = "127.0.0.1", *, port: int | None = None, file: Path | None = None
    ) -> Path:
        """Write its host keys to a known_hosts file."""
        path = file or self.folder / "known_hosts"
        name = f"[{host}]:{port or self.port}"
        with path.open("a") as known:
            known.writelines(f"{name} {' '.join(public(key))}\n" for key in self.host_keys)
        return path


class Relay:
    """A TCP relay in this process, whose connections can be frozen or cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.accepted = 0
        self.drop_first = 0
        """How many connections to close at once, as sshd does beyond MaxStartups."""
        self._frozen = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                self.accepted += 1
                if self.drop_first > 0:
                    self.drop_first -= 1
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._target))
                self._pairs.append((near, far))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if not self._frozen.is_set():
                    other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Swallow everything from now on, and close nothing."""
        self._frozen.set()

    def cut(self) -> None:
        """Close all connections."""
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it."""
        self._server.close()
        self.cut()
        for pair in self._pairs:
            for end in pair:
                end.close()
