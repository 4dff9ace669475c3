"""What the benchmarks of a single board share: a sweep on it, near or far."""

from __future__ import annotations

import shlex
import subprocess
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jetbench.bench.plan import make_plan
from jetbench.bench.recorder import Recorder
from jetbench.bench.sweep import Door, run_sweep
from jetbench.formats.inventory import parse_inventory
from jetbench.remote.connection import Connector

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.domain.board import Board
    from jetbench.domain.plan import Options
    from jetbench.domain.record import SweepResult

SMALL_NET = """\
name: "small"
layer {
  name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 1 dim: 28 dim: 28 } }
}
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 5 weight_filler { type: "xavier" } }
}
"""


FAKE_ROOT = "bench-fake"
FAKE_CAFFE = """\
#!/bin/sh
case $1 in
--version) echo "caffe version 1.0.0" ;;
--help) echo "    -phase (Optional; network phase (TRAIN or TEST).)" ;;
time)
    sleep 0.1
    echo "I0102 03:04:05.000006 7 caffe.cpp:408] Average Forward pass: 7.25 ms." >&2
    echo "I0102 03:04:05.000007 7 caffe.cpp:415] *** Benchmark ends ***" >&2
    ;;
esac
"""
"""A Caffe that costs nothing, for what is not about Caffe."""


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep that has gone well."""

    result: SweepResult
    folder: Path
    """Its journals and logs."""


def board_of(inventory: Path, name: str | None) -> Board:
    """A board of an inventory; the first one where no name is given."""
    parsed = parse_inventory(inventory.read_text(encoding="utf-8"), str(inventory))
    return next(board for board in parsed.boards if name in {None, board.name})


def behind(board: Board, host: str, port: int, folder: Path) -> Board:
    """The same board, reached at another address; `folder` takes a file of known hosts."""
    if board.known_hosts is None:
        message = f"{board.name} has no known_hosts file of its own in the inventory"
        raise ValueError(message)
    names = {board.host, f"[{board.host}]:{board.port}"}
    with open(board.known_hosts, encoding="utf-8") as known:  # noqa: PTH123 - a path as text
        keys = [key for name, _, key in (line.partition(" ") for line in known) if name in names]
    file = folder / "known_hosts"
    file.write_text("".join(f"[{host}]:{port} {key}" for key in keys), encoding="utf-8")
    return replace(board, host=host, port=port, known_hosts=str(file))


def by_hand(board: Board, command: str, given: str) -> bytes:
    """What a command prints on a board, over a plain ssh and with `given` as its input."""
    done = subprocess.run(
        [
            *("ssh", "-F", "none", "-i", str(board.key), "-p", str(board.port or 22)),
            *("-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={board.known_hosts}"),
            *(f"{board.user}@{board.host}", command),
        ],
        input=given.encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout


def caffe_time(board: Board, net: str, iterations: int) -> str:
    """The command line of `caffe time` that the program would run on a board's CPU."""
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in board.env)
    return (
        f"{settings} GLOG_logtostderr=1 caffe/build/tools/caffe time -model {net} "
        f"-iterations {iterations} -phase TEST 2>&1"
    )


def with_fake_caffe(board: Board) -> Board:
    """Put the Caffe that costs nothing on a board, beside the real one."""
    place = f"{FAKE_ROOT}/build/tools"
    command = f"mkdir -p {place} && cat >{place}/caffe && chmod 755 {place}/caffe"
    by_hand(board, command, FAKE_CAFFE)
    return replace(board, caffe=None, caffe_root=FAKE_ROOT)


def sweep(board: Board, model: str, options: Options, results: Path) -> Swept:
    """Measure one model on one board, as `jetbench run` does.

    Raises:
        RuntimeError: Something was not measured: a benchmark of it would mean nothing.
    """
    plan = make_plan([board], [model], options, ["benchmark"])
    recorder = Recorder.create(plan, results)
    with Connector(ssh_config=None, ask_passphrase=None) as connector:
        door = Door(connector.connect, lambda _: "", "who=benchmark")
        for event in run_sweep(plan, door, threading.Event()):
            recorder.take(event)
    result = recorder.result()
    if not result.complete or result.boards[0].notes:
        message = f"the sweep failed: {result.boards[0]}, {result.records[0].reasons}"
        raise RuntimeError(message)
    return Swept(result, recorder.path)
