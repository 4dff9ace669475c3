"""Talking to virtual boards in tests, and running stand-ins without a server."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko

from jetbench.nets.zoo import text_of
from jetbench.virtual.board_root import HOME, build, environment
from jetbench.virtual.options import BoardOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.virtual.fleet import VirtualBoard, VirtualFleet

CAFFE = "project/ssd-caffe/build/tools/caffe"
FAST = BoardOptions(time_scale=0.0)


@dataclass(frozen=True)
class Answer:
    """What a command on a board came to."""

    status: int
    out: str
    err: str


@contextmanager
def connected(fleet: VirtualFleet, board: VirtualBoard) -> Iterator[paramiko.SSHClient]:
    """A client that knows the board's key and is known to it."""
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(fleet.known_hosts))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(
            "127.0.0.1",
            board.port,
            "nvidia",
            key_filename=str(fleet.key),
            allow_agent=False,
            look_for_keys=False,
            timeout=20,
        )
        yield client


def opened(client: paramiko.SSHClient, window_bytes: int | None = None) -> paramiko.Channel:
    """A new channel for one command, whose waits are bounded."""
    transport = client.get_transport()
    assert transport is not None
    channel = transport.open_session(window_size=window_bytes, timeout=20)
    channel.settimeout(60)
    return channel


def run(client: paramiko.SSHClient, command: str, stdin: bytes = b"") -> Answer:
    """Run a command over SSH, its input given whole."""
    channel = opened(client)
    channel.exec_command(command)
    channel.sendall(stdin)
    channel.shutdown_write()
    out = channel.makefile("rb").read()
    err = channel.makefile_stderr("rb").read()
    return Answer(channel.recv_exit_status(), out.decode(), err.decode())


class Root:
    """A board's root folder with its stand-ins, and no server."""

    def __init__(self, folder: Path, options: BoardOptions = FAST) -> None:
        self.path = folder
        build(folder, options)

    def run(self, command: str, stdin: str = "") -> Answer:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env=environment(self.path),
            cwd=self.path / HOME,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def read(self, path: str) -> str:
        return (self.path / path.lstrip("/")).read_text()


def at_batch_1(model: str, folder: Path) -> Path:
    """A model that comes along, with batch 1, as a file in `folder`."""
    text = text_of(model)
    # In each of them the first dimension is that of the batch.
    text = re.sub(r"dim: 10\b", "dim: 1", text, count=1)
    file = folder / f"{model}.prototxt"
    file.write_text(text)
    return file


def forward_ms(log: str) -> float:
    """The average forward pass of a log."""
    found = re.search(r"Average Forward pass: (\S+) ms\.", log)
    assert found, log[-2000:]
    return float(found[1])


def without_prefix(log: str) -> list[str]:
    """The lines of a log, the time and the process of each taken away."""
    return [re.sub(r"^([IWEF])\d{4} [\d:.]+ +\d+ ", r"\1 ", line) for line in log.splitlines()]


def processes_of(root: Path) -> list[str]:
    """The processes that run on a board, by their environment (Linux)."""
    mark = os.fsencode(f"JETBENCH_ROOT={root}")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(folder.name)
    return [pid for pid in found if pid != str(os.getpid())]
