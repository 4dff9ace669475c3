"""Fan-out: one sweep on K boards at once, through jetbench and through the rival.

The job: connect, probe, send, run one second, fetch, clean up, with all of jetbench's checks
on. The boards share this machine's cores, so the wall time holds their work too. Runs of
both take turns, each in a process of its own; the ratios are of the medians::

    sudo scripts/real-boards up 64
    python benchmarks/bench_fanout.py .real-boards/real-inventory.yaml

The caffe that is run is a script that waits for a second: the boards' time is not what is
measured here. It is put on them first, outside the measurement.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import paramiko

from benchmarks.rival_paramiko import Target, targets_of
from jetbench.bench.plan import make_plan
from jetbench.bench.recorder import Recorder
from jetbench.bench.sweep import Door, run_sweep
from jetbench.domain.plan import Options
from jetbench.formats.inventory import parse_inventory
from jetbench.remote.connection import Connector

CPU_LIMIT = 1.6
WALL_LIMIT = 2.0
FAKE_CAFFE = "bench/build/tools/caffe"
FAKE = """\
#!/bin/sh
case $1 in
--version) echo "caffe version 1.0.0" ;;
--help) echo "    -phase (Optional; network phase (TRAIN or TEST).)" ;;
time) sleep 1
    head -c 15000 /dev/urandom | base64 >&2
    echo "I0102 03:04:05.000006 7 caffe.cpp:412] Average Forward pass: 7.25 ms." >&2
    echo "I0102 03:04:05.000007 7 caffe.cpp:415] *** Benchmark ends ***" >&2 ;;
esac
"""
NET = """\
name: "tiny"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "relu" type: "ReLU" bottom: "data" top: "data" }
"""
PADDING = "# " + "x" * 70 + "\n"


def run_jetbench(inventory: Path, boards: int) -> dict[str, float]:
    """One sweep of one trial on the first boards; client CPU and wall."""
    parsed = parse_inventory(inventory.read_text(encoding="utf-8"), str(inventory))
    chosen = [
        replace(board, caffe=f"~/{FAKE_CAFFE}", caffe_root=None)
        for board in parsed.boards[:boards]
    ]
    with tempfile.TemporaryDirectory() as folder:
        net = Path(folder, "tiny.prototxt")
        net.write_text(NET + PADDING * 75, encoding="utf-8")
        options = Options(
            repeats=1,
            power_modes=("keep",),
            clocks=False,
            gpu="none",
            # The rival neither warms the board up nor reads its sensors.
            warm_ups=0,
            telemetry=False,
        )
        plan = make_plan(chosen, [str(net)], options, ["bench"])
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        recorder = Recorder.create(plan, Path(folder, "results"))
        with Connector(ssh_config=None, ask_passphrase=None) as connector:
            door = Door(connector.connect, lambda _: "", "who=benchmark")
            for event in run_sweep(plan, door, threading.Event()):
                recorder.take(event)
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        # Reading the logs comes after the job: it is no part of what the rival does.
        result = recorder.result()
    bad = [board.error for board in result.boards if board.error]
    if bad or not all(record.forward_ms for record in result.records):
        message = f"the sweep failed: {bad or result.records[0].reasons}"
        raise RuntimeError(message)
    return {"wall_s": wall_s, "cpu_s_per_board": cpu_s / len(chosen)}


def place_fake_caffe(targets: tuple[Target, ...]) -> None:
    """Put the waiting caffe on every board."""

    def place(target: Target) -> None:
        key = paramiko.Ed25519Key.from_private_key_file(str(target.key))
        with closing(paramiko.Transport((target.host, target.port))) as transport:
            transport.connect(username=target.user, pkey=key)
            channel = transport.open_session(timeout=30)
            channel.exec_command(
                f"mkdir -p bench/build/tools && cat >{FAKE_CAFFE} && chmod 755 {FAKE_CAFFE}"
            )
            channel.sendall(FAKE.encode())
            channel.shutdown_write()
            channel.recv_exit_status()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(place, targets))


def _once(what: str, inventory: Path, boards: int) -> dict[str, float]:
    """One run in a process of its own."""
    if what == "jetbench":
        arguments = [__file__, str(inventory), "--boards", str(boards), "--one-run"]
    else:
        rival = str(Path(__file__).with_name("rival_paramiko.py"))
        arguments = [rival, str(inventory), "--boards", str(boards)]
    done = subprocess.run(
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        timeout=120,
        cwd=Path(__file__).parents[1],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Compare, print the ratios, and exit 1 where one is above its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--boards", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one-run", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one_run:
        print(json.dumps(run_jetbench(asked.inventory, asked.boards)))
        return
    place_fake_caffe(targets_of(asked.inventory)[: asked.boards])
    runs: dict[str, list[dict[str, float]]] = {"rival": [], "jetbench": []}
    for _ in range(asked.rounds):
        for what, found in runs.items():
            found.append(_once(what, asked.inventory, asked.boards))
    over = False
    for key, limit in (("cpu_s_per_board", CPU_LIMIT), ("wall_s", WALL_LIMIT)):
        ours, theirs = (
            statistics.median(run[key] for run in runs[what]) for what in ("jetbench", "rival")
        )
        over = over or ours / theirs > limit
        print(
            f"{key:<16} jetbench {ours:.4f}  rival {theirs:.4f}  ratio {ours / theirs:.2f}"
            f"  (limit {limit})"
        )
    sys.exit(1 if over else 0)


if __name__ == "__main__":
    main()
