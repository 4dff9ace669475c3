"""Times through the program, held against `caffe time` typed by hand over ssh.

The same net on the same board, one process at a time, in rounds of three that take turns, in
another order each time: through the program with all of it at work (power mode and clocks, a
warm-up, the sensors), the same without reading the sensors, and by hand. Neither the program nor
the sensors may change what is measured::

    sudo scripts/real-boards up 1
    python benchmarks/bench_forward.py .real-boards/real-inventory.yaml

Compared is within a round, because a machine that others share changes its speed from minute to
minute: the figure is the median of the ratios. It needs a quiet machine; the quartiles say whether
it was one.
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
    from collections.abc import Callable

    from jetbench.domain.board import Board

MODEL = "bvlc_googlenet"
ITERATIONS = 3
ROUNDS = 20
LIMIT, TELEMETRY_LIMIT = 0.01, 0.005
"""How far a ratio may be from 1."""


def through_jetbench_ms(board: Board, *, telemetry: bool) -> float:
    """The forward time of a trial of a sweep, after a warm-up."""
    options = Options(iterations=ITERATIONS, repeats=1, gpu="none", telemetry=telemetry)
    with tempfile.TemporaryDirectory() as folder:
        summary = sweep(board, MODEL, options, Path(folder)).result.records[0].forward_ms
    if summary is None:
        raise SystemExit(f"{board.name}: the trial failed")
    return summary.median


def by_hand_ms(board: Board, net: str) -> float:
    """The forward time of a process typed over ssh, after one that does not count."""
    run = caffe_time(board, "by-hand.prototxt", ITERATIONS)
    said = by_hand(board, f"cat >by-hand.prototxt; {run}; {run}; rm by-hand.prototxt", net)
    return [float(ms) for ms in re.findall(r"Average Forward pass: ([\d.]+) ms", said.decode())][1]


def main() -> int:
    """Print the medians of the ratios; 1 where one is too far from 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--board", help="its name (default: the first)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default: {ROUNDS}")
    asked = parser.parse_args()
    board = board_of(asked.inventory, asked.board)
    net = patch_batch(resolve(MODEL).text or "", 1).text
    ways: dict[str, Callable[[], float]] = {
        "jetbench": lambda: through_jetbench_ms(board, telemetry=True),
        "without telemetry": lambda: through_jetbench_ms(board, telemetry=False),
        "by hand": lambda: by_hand_ms(board, net),
    }
    times_ms: dict[str, list[float]] = {way: [] for way in ways}
    orders = list(permutations(ways))
    for number in range(asked.rounds):
        for way in orders[number % len(orders)]:
            times_ms[way].append(ways[way]())
    for way, found in times_ms.items():
        low, median, high = statistics.quantiles(found, n=4)
        print(f"{way:<18} median {median:.1f} ms, quartiles {low:.1f} and {high:.1f}")
    beyond = False
    for other, limit in (("by hand", LIMIT), ("without telemetry", TELEMETRY_LIMIT)):
        pairs = zip(times_ms["jetbench"], times_ms[other], strict=True)
        low, ratio, high = statistics.quantiles((ours / theirs for ours, theirs in pairs), n=4)
        print(
            f"jetbench against {other}, {asked.rounds} pairs: median ratio {ratio:.4f} "
            f"(limit 1 ± {limit}), quartiles {low:.3f} and {high:.3f}"
        )
        beyond |= abs(ratio - 1) > limit
    return int(beyond)


if __name__ == "__main__":
    sys.exit(main())
