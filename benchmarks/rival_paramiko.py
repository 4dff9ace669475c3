"""The rival: the best script that can be written on bare paramiko, which checks nothing.

The job, on each of K boards at once: connect, look what the board is, send 6 kB, run one
second, fetch 20 kB, remove all traces. As fast as paramiko goes: one connection and one
exec a board, a thread a board, TCP_NODELAY, the key loaded once. Host keys are not looked
at, nothing is retried, nobody is asked, no limit is set that a board could run into.
jetbench does all of that and may cost at most 1.6 times the client's CPU a board, and
twice the wall::

    scripts/real-boards up 64
    python benchmarks/rival_paramiko.py .real-boards/real-inventory.yaml

prints a line of JSON: how many boards, the wall time, and the client's CPU a board.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import paramiko

from jetbench.formats.inventory import parse_inventory

SENT_BYTES = 6_000
FETCHED_BYTES = 20_000
RUN_S = 1
JOB = f"""\
uname -a; cat /etc/nv_tegra_release; id -u; free -m; df -k .; ls caffe/build/tools
d=$(mktemp -d) && cat >$d/sent && sleep {RUN_S} && head -c {FETCHED_BYTES} /dev/zero && rm -r $d
"""
CONNECT_WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class Target:
    """A board, as far as the rival needs to know it."""

    host: str
    port: int
    user: str
    key: Path
    """An ed25519 key without a passphrase."""


@dataclass(frozen=True, slots=True)
class RivalResult:
    """What the job took on all boards at once."""

    boards: int
    wall_s: float
    """From the first thread's start to the last one's end."""
    cpu_s_per_board: float
    """Of this process, user and system, by the number of boards."""


def targets_of(inventory: Path) -> tuple[Target, ...]:
    """The boards of an inventory that ``scripts/real-boards`` has written."""
    parsed = parse_inventory(inventory.read_text(encoding="utf-8"), str(inventory))
    return tuple(
        Target(board.host, board.port or 22, board.user or "nvidia", Path(board.key or ""))
        for board in parsed.boards
    )


def run_rival(targets: tuple[Target, ...]) -> RivalResult:
    """Does the job on all targets at once, a thread each.

    Raises:
        OSError: A board cannot be reached.
        paramiko.SSHException: It can, but not logged in to.
        RuntimeError: The job did not do what it should.
    """
    files = {target.key for target in targets}
    keys = {file: paramiko.Ed25519Key.from_private_key_file(str(file)) for file in files}
    sent = os.urandom(SENT_BYTES)
    with ThreadPoolExecutor(len(targets)) as pool:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        futures = [pool.submit(_one_board, each, keys[each.key], sent) for each in targets]
        for future in futures:
            future.result()
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    return RivalResult(len(targets), wall_s, cpu_s / len(targets))


def _one_board(target: Target, key: paramiko.PKey, sent: bytes) -> None:
    link = socket.create_connection((target.host, target.port), CONNECT_WITHIN_S)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(link)
    try:
        transport.start_client()
        transport.auth_publickey(target.user, key)
        channel = transport.open_session()
        channel.exec_command(JOB)
        channel.sendall(sent)
        channel.shutdown_write()
        fetched_bytes = 0
        while piece := channel.recv(65_536):
            fetched_bytes += len(piece)
        if channel.recv_exit_status() != 0 or fetched_bytes < FETCHED_BYTES:
            message = f"{target.host}: the job failed after {fetched_bytes} bytes"
            raise RuntimeError(message)
    finally:
        transport.close()


def main(arguments: list[str] | None = None) -> None:
    """Runs the job on the first boards of an inventory and prints what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--boards", type=int, help="so many of them (default: all)")
    parser.add_argument("--repeats", type=int, default=1, help="a line of JSON for each")
    options = parser.parse_args(arguments)
    targets = targets_of(options.inventory)[: options.boards]
    for _ in range(options.repeats):
        sys.stdout.write(json.dumps(asdict(run_rival(targets))) + "\n")


if __name__ == "__main__":
    main()
