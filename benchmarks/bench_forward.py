"""Forward times through the program, held against `caffe time` typed by hand over ssh.

The same net on the same board, in pairs, each way first in every other pair. The program
must not change what it measures: the medians may differ by less than the spread of either,
which is the distance of its quartiles::

    sudo scripts/real-boards up 1
    python benchmarks/bench_forward.py .real-boards/real-inventory.yaml
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.one_board import board_of, by_hand, caffe_time, sweep
from jetbench.bench.models import resolve
from jetbench.domain.plan import Options
from jetbench.nets.batch import patch_batch

if TYPE_CHECKING:
    from jetbench.domain.board import Board

MODEL = "bvlc_alexnet"
ITERATIONS = 3


def through_jetbench_ms(board: Board) -> float:
    """One process, started by a sweep."""
    options = Options(iterations=ITERATIONS, repeats=1, gpu="none")
    with tempfile.TemporaryDirectory() as folder:
        record = sweep(board, MODEL, options, Path(folder)).result.records[0]
    if record.forward_ms is None:
        message = f"it was not measured: {record.reasons}"
        raise RuntimeError(message)
    return record.forward_ms.median


def by_hand_ms(board: Board, net: str) -> float:
    """One process, started over ssh with a file that `ssh` has put there."""
    run = caffe_time(board, "by-hand.prototxt", ITERATIONS)
    said = by_hand(board, f"cat >by-hand.prototxt; {run}; rm by-hand.prototxt", net).decode()
    found = re.search(r"Average Forward pass: ([\d.]+) ms", said)
    if found is None:
        message = f"Caffe said: {said[-300:]}"
        raise RuntimeError(message)
    return float(found[1])


def main() -> int:
    """Print medians, spreads and the ratio; 1 where the medians differ by too much."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--board", help="its name (default: the first)")
    parser.add_argument("--pairs", type=int, default=20)
    asked = parser.parse_args()
    board = board_of(asked.inventory, asked.board)
    net = patch_batch(resolve(MODEL).text or "", 1).text
    ways = {
        "jetbench": lambda: through_jetbench_ms(board),
        "by hand": lambda: by_hand_ms(board, net),
    }
    times_ms: dict[str, list[float]] = {way: [] for way in ways}
    for pair in range(asked.pairs):
        for way in sorted(ways, reverse=pair % 2 == 0):
            times_ms[way].append(ways[way]())
    medians_ms, spreads_ms = {}, {}
    for way, found in times_ms.items():
        low, medians_ms[way], high = statistics.quantiles(found, n=4)
        spreads_ms[way] = high - low
        print(f"{way:<9} median {medians_ms[way]:.1f} ms, between the quartiles {high - low:.1f}")
    difference_ms = abs(medians_ms["jetbench"] - medians_ms["by hand"])
    print(
        f"ratio {medians_ms['jetbench'] / medians_ms['by hand']:.3f}, "
        f"difference {difference_ms:.1f} ms (limit {min(spreads_ms.values()):.1f})"
    )
    return int(difference_ms >= min(spreads_ms.values()))


if __name__ == "__main__":
    sys.exit(main())
