"""``jetbench parse`` on logs of 100 MB, in all the forms in which people have them.

The logs are written here, always the same; each is held against the simplest loop that finds
the mean of a clean log, and against the limits of 30 MB/s and 100 MB of memory::

    python benchmarks/bench_parse.py [KIND...] [--megabytes 100]
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.nets.zoo import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_MB_S = 30
MOST_MEMORY_MB = 100
MB = 1_000_000
_GLOG_LIMIT = 29_998
"""Where glog cuts a message, such as a printed net."""
_RIVAL = """
import re, sys
pattern = re.compile(rb"Average Forward pass: ([0-9.e+-]+) ms")
with open(sys.argv[1], "rb") as log:
    for line in log:
        if found := pattern.search(line):
            mean = float(found[1])
"""


def stamped(message: str, place: str = "net.cpp:131", level: str = "I") -> str:
    """A line as glog writes it."""
    return f"{level}0315 09:14:55.123456  8117 {place}] {message}\n"


def iterations(count: int = 10_000) -> str:
    """What BVLC's Caffe prints as it goes."""
    return "".join(
        stamped(f"Iteration: {i} forward-backward time: {30 + i % 97 / 8} ms.", "caffe.cpp:394")
        for i in range(1, count + 1)
    )


def nvidia() -> str:
    """What NVIDIA's fork prints in its place."""
    return "".join(
        stamped(f"Iterations: {i}-{i + 99} average forward-backward time: {30 + i % 97 / 8} ms.")
        for i in range(1, 1_000_000, 100)
    )


def debug() -> str:
    """What a net with ``debug_info: true`` prints, each time it runs."""
    return "".join(
        stamped(f"    [{way}] Layer {layer}, {what} blob {layer} {kind}: 0.0{len(layer)}7142")
        for layer in LAYERS
        for way, what, kind in (("Forward", "top", "data"), ("Backward", "bottom", "diff"))
    )


LAYERS = re.findall(r'layer \{\n  name: "(\w+)"', text_of("resnet152"))
NET = "".join(
    f'layer {{\n  name: "{name}"\n  type: "Convolution"\n  bottom: "{below}"\n  top: "{name}"\n'
    "  param {\n    lr_mult: 1\n    decay_mult: 1\n  }\n  convolution_param {\n"
    "    num_output: 256\n    bias_term: false\n    pad: 1\n    kernel_size: 3\n    stride: 1\n"
    '    weight_filler {\n      type: "msra"\n    }\n  }\n}\n'
    for name, below in zip(LAYERS, ("data", *LAYERS), strict=False)
)
HEAD = 'name: "ResNet-152"\nstate {\n  phase: TEST\n  level: 0\n  stage: ""\n}\n'
INPUT = (
    'layer {\n  name: "data"\n  type: "Input"\n  top: "data"\n  input_param {\n    shape {\n'
    "      dim: 1\n      dim: 3\n      dim: 224\n      dim: 224\n    }\n  }\n}\n"
)
TABLE = "".join(
    stamped(f"{name:>10}\t{way}: {0.01 * len(name):g} ms.", "caffe.cpp:403")
    for name in LAYERS
    for way in ("forward", "backward")
)
RESULT = "".join(
    stamped(message, "caffe.cpp:412")
    for message in (
        "Average Forward pass: 64.0829 ms.",
        "Average Backward pass: 95.5 ms.",
        "Average Forward-Backward: 160 ms.",
        "Total Time: 8000.5 ms.",
        "*** Benchmark ends ***",
    )
)


def printed(net: str) -> str:
    """The net as Caffe prints it before it sets it up."""
    return (
        stamped("Use GPU with device ID 0", "caffe.cpp:343")
        + stamped("Initializing net from parameters: ", "net.cpp:53")
        + net
    )


def set_up(name: str, below: str) -> str:
    """What Caffe says of a layer as it sets it up."""
    return "".join(
        stamped(message, "net.cpp:408")
        for message in (
            f"Creating layer {name}",
            f"Creating Layer {name}",
            *((f"{name} <- {below}",) if below else ()),
            f"{name} -> {name}",
            f"Setting up {name}",
            "Top shape: 1 256 56 56 (802816)",
            "Memory required for data: 123456789",
        )
    )


def run() -> str:
    """A whole run of ``caffe time`` on a net of ResNet-152's size, its net cut as by glog."""
    return (
        printed((HEAD + INPUT + NET)[:_GLOG_LIMIT] + "\n")
        + set_up("data", "")
        + "".join(map(set_up, LAYERS, ("data", *LAYERS)))
        + "".join(stamped(f"{name} needs backward computation.") for name in LAYERS)
        + stamped("Network initialization done.", "net.cpp:257")
        + stamped("*** Benchmark begins ***", "caffe.cpp:365")
        + stamped("Testing for 50 iterations.", "caffe.cpp:366")
        + iterations(50)
        + TABLE
        + RESULT
    )


def bare() -> str:
    """A run whose prefixes are lost."""
    return re.sub(r"^I.*?\] ", "", run(), flags=re.MULTILINE)


def quoted() -> str:
    """A run in the answer to a mail."""
    return "".join(f"> {line}" for line in run().splitlines(keepends=True))


def wrapped() -> str:
    """A run as a mail program has wrapped it."""
    width = textwrap.TextWrapper(72, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{width.fill(line.expandtabs())}\n" for line in run().splitlines())


def junk_line() -> str:
    """Words that never come to the end of a line."""
    return "conv1 forward: words ] and numbers 12:34:56.789012 I0315 " * 1000


def binary() -> bytes:
    """Bytes that are no log."""
    return random.Random(3).randbytes(MB)  # noqa: S311 - the same each time


KINDS: dict[str, Callable[[], str | bytes]] = {
    "iterations": iterations,
    "iterations of NVIDIA's": nvidia,
    "debug output": debug,
    "tables of layers": lambda: TABLE,
    "runs": run,
    "printed nets, not cut": lambda: printed(HEAD + INPUT + NET),
    "runs, no prefixes": bare,
    "runs, CRLF": lambda: run().replace("\n", "\r\n"),
    "runs, quoted": quoted,
    "runs, wrapped": wrapped,
    "runs on one line each": lambda: run().replace("\n", " ") + "\n",
    "prose": lambda: "It is said that Caffe: a framework, ran out of time on a board.\n" * 1000,
    "one line of junk": junk_line,
    "binary": binary,
    "zeros": lambda: b"\0" * MB,
}
WAYS = {"file": "{0}", "stdin": "- < {0}", "FIFO": "<(cat {0})"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took."""

    wall_s: float
    memory_mb: float

    @classmethod
    def of(cls, command: list[str]) -> Cost:
        """Run a command to its end; whether it succeeds does not matter."""
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        return cls(time.perf_counter() - begin, usage.ru_maxrss * 1024 / MB)


def parse_cost(log: Path, way: str) -> Cost:
    """What it takes to read a log in one of the ways."""
    parse = f"exec {sys.executable} -m jetbench parse --format json "
    return Cost.of(["bash", "-c", parse + WAYS[way].format(log)])


def write(log: Path, kind: str, size_mb: int) -> None:
    """A log of a kind, closed by a run's last lines."""
    unit = KINDS[kind]()
    block = unit if isinstance(unit, bytes) else unit.encode()
    with log.open("wb") as file:
        for _ in range(size_mb * MB // len(block)):
            file.write(block)
        file.write(f"\n{RESULT}".encode())


def main() -> int:
    """Print each kind's figures; 1 where one is beyond its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--megabytes", type=int, default=100)
    asked = parser.parse_args()
    slow = []
    print(f"{'log':24} {'from':6} {'parse':>10} {'loop':>10} {'memory':>8}")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "time.log")
        for kind in asked.kinds or KINDS:
            write(log, kind, asked.megabytes)
            size_mb = log.stat().st_size / MB
            loop = Cost.of([sys.executable, "-c", _RIVAL, str(log)])
            for way in WAYS if kind == "runs" else ("file",):
                cost = parse_cost(log, way)
                rates = [f"{size_mb / each.wall_s:5.0f} MB/s" for each in (cost, loop)]
                print(f"{kind:24} {way:6} {' '.join(rates)} {cost.memory_mb:5.0f} MB", flush=True)
                if size_mb / cost.wall_s < LEAST_MB_S or cost.memory_mb > MOST_MEMORY_MB:
                    slow.append(f"{kind} from {way}")
    for one in slow:
        print(f"beyond a limit ({LEAST_MB_S} MB/s, {MOST_MEMORY_MB} MB): {one}")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
