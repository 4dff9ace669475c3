"""A PostgreSQL server of the tests' own, on a port that is free."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "jetbench"
PASSWORD = "not a secret"
_TRIES = 4
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin")


class PostgresServer:
    """It keeps its data in a folder of its own, which nobody needs afterwards."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        # Short: a socket's path has at most 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="jb-pg-"))
        self.port = _free_port()
        self._databases = 0
        # The server refuses to run as root.
        self._user = _other_user() if os.getuid() == 0 else None
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            "initdb", "-D", f"{self.folder}/data", "-U", USER, "-A", "scram-sha-256",
            "--pwfile", str(password), "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        """Start it, and return when it answers; the first time on whatever port is free."""
        for left in reversed(range(_TRIES if self._databases == 0 else 1)):
            settings = (
                f"-c port={self.port} -c listen_addresses=127.0.0.1 -c fsync=off "
                f"-c unix_socket_directories={self.folder}"
            )
            try:
                self._run(
                    "pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w",
                    "-o", settings, "start",
                )  # fmt: skip
            except subprocess.CalledProcessError:
                # Somebody may have taken the port since it was free.
                if not left:
                    raise
                self.port = _free_port()
            else:
                return

    def stop(self, how: str = "fast") -> None:
        """End it, and whatever its clients do."""
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", how, "stop")

    def close(self) -> None:
        """End it, and delete its data."""
        # A test may have ended it.
        with suppress(subprocess.CalledProcessError):
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self) -> psycopg.Connection:
        """A connection of its superuser's."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname="postgres",
            autocommit=True,
        )  # fmt: skip

    def new_database(self) -> str:
        """The URL of a database with nothing in it."""
        self._databases += 1
        name = f"lab{self._databases}"
        with self.connect() as connection:
            connection.execute(f"create database {name}".encode())
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *words: str) -> None:
        user = self._user
        subprocess.run(
            [self.programs / program, *words],
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            # Not a pipe: the server keeps it open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )


@contextmanager
def a_server() -> Iterator[PostgresServer]:
    """A server that runs; where there is none to run, the test is skipped."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    server = PostgresServer(programs)
    try:
        server.start()
        yield server
    finally:
        server.close()


def find_programs() -> Path | None:
    """The folder with PostgreSQL's server programs; None where it is not installed."""
    found = shutil.which("initdb")
    if found is not None and shutil.which("pg_ctl") is not None:
        return Path(found).resolve().parent
    for place in _PLACES:
        root, _, pattern = place[1:].partition("/")
        for folder in sorted(Path("/", root).glob(pattern), reverse=True):
            if (folder / "initdb").exists():
                return folder
    return None


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _other_user() -> pwd.struct_passwd:
    for user in pwd.getpwall():
        if user.pw_name in {"postgres", "nobody"}:
            return user
    raise RuntimeError("root has no other user to start PostgreSQL as")
