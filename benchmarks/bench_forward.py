"""Times through the program, held against `caffe time` typed by hand over ssh.

The same net on the same board, in blocks of processes that take turns, in another order each
time: through the program with all of it at work (power mode and clocks, a warm-up, the sensors),
without reading the sensors, and by hand. Neither the program nor the sensors may change what is
measured::

    sudo scripts/real-boards up 1
    python benchmarks/bench_forward.py .real-boards/real-inventory.yaml

Compared are the medians of the forward times, and the means of their fastest tenth. A machine that
others share changes its speed by a fifth within seconds, and then the medians say mostly how busy
the others were: the fastest processes are those that nobody disturbed. The limit is for them.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.one_board import board_of, by_hand, caffe_time, sweep
from jetbench.bench.models import resolve
from jetbench.domain.plan import Options
from jetbench.nets.batch import patch_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jetbench.domain.board import Board

MODEL = "bvlc_googlenet"
ITERATIONS = 3
BLOCK = 10
"""Processes in a row."""
LIMIT, TELEMETRY_LIMIT = 0.01, 0.005
"""How far a ratio may be from 1."""


def through_jetbench_ms(board: Board, *, telemetry: bool) -> list[float]:
    """The forward times of a sweep, after a warm-up."""
    options = Options(iterations=ITERATIONS, repeats=BLOCK, gpu="none", telemetry=telemetry)
    with tempfile.TemporaryDirectory() as folder:
        summary = sweep(board, MODEL, options, Path(folder)).result.records[0].forward_ms
    return list(summary.values) if summary else []


def by_hand_ms(board: Board, net: str) -> list[float]:
    """The forward times of as many processes, typed over ssh, after one that does not count."""
    run = caffe_time(board, "by-hand.prototxt", ITERATIONS)
    loop = f"for n in $(seq {BLOCK + 1}); do {run}; done; rm by-hand.prototxt"
    said = by_hand(board, f"cat >by-hand.prototxt; {loop}", net).decode()
    return [float(ms) for ms in re.findall(r"Average Forward pass: ([\d.]+) ms", said)][1:]


def fastest(times_ms: Sequence[float]) -> float:
    """The mean of the fastest tenth."""
    return statistics.fmean(sorted(times_ms)[: max(len(times_ms) // 10, 1)])


def main() -> int:
    """Print medians, fastest times and ratios; 1 where one of the latter is too far from 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--board", help="its name (default: the first)")
    parser.add_argument("--rounds", type=int, default=6, help=f"blocks of {BLOCK}, each way")
    asked = parser.parse_args()
    board = board_of(asked.inventory, asked.board)
    net = patch_batch(resolve(MODEL).text or "", 1).text
    ways: dict[str, Callable[[], list[float]]] = {
        "jetbench": lambda: through_jetbench_ms(board, telemetry=True),
        "without telemetry": lambda: through_jetbench_ms(board, telemetry=False),
        "by hand": lambda: by_hand_ms(board, net),
    }
    times_ms: dict[str, list[float]] = {way: [] for way in ways}
    orders = list(permutations(ways))
    for number in range(asked.rounds):
        for way in orders[number % len(orders)]:
            times_ms[way] += ways[way]()
    for way, found in times_ms.items():
        low, median, high = statistics.quantiles(found, n=4)
        print(
            f"{way:<18} {len(found)} processes: median {median:.1f} ms, quartiles {low:.1f} and "
            f"{high:.1f}, fastest tenth {fastest(found):.2f}"
        )
    beyond = False
    for other, limit in (("by hand", LIMIT), ("without telemetry", TELEMETRY_LIMIT)):
        ours, theirs = times_ms["jetbench"], times_ms[other]
        ratio = fastest(ours) / fastest(theirs)
        medians = statistics.median(ours) / statistics.median(theirs)
        print(
            f"jetbench against {other}: {ratio:.4f} of the fastest (limit 1 ± {limit}), "
            f"{medians:.4f} of the medians"
        )
        beyond |= abs(ratio - 1) > limit
    return int(beyond)


if __name__ == "__main__":
    sys.exit(main())
