"""Forward times through the program, held against `caffe time` typed by hand over ssh.

The same net on the same board, in pairs, each way first in every other pair. The program
must not change what it measures: the median of the pairs' ratios is within 1.00 ± 0.01. All of
it is at work: power mode and clocks, a warm-up, and the sensors are read::

    sudo scripts/real-boards up 1
    python benchmarks/bench_forward.py .real-boards/real-inventory.yaml
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.one_board import (
    board_of,
    by_hand,
    caffe_time,
    compare_in_pairs,
    forward_ms,
)
from jetbench.bench.models import resolve
from jetbench.domain.plan import Options
from jetbench.nets.batch import patch_batch

if TYPE_CHECKING:
    from jetbench.domain.board import Board

MODEL = "bvlc_alexnet"
ITERATIONS = 10
LIMIT = 0.01


def through_jetbench_ms(board: Board) -> float:
    """One process, started by a sweep."""
    options = Options(iterations=ITERATIONS, repeats=1, gpu="none")
    with tempfile.TemporaryDirectory() as folder:
        return forward_ms(board, MODEL, options, Path(folder))


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
    """Print medians, spreads and the ratio; 1 where it is too far from 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--board", help="its name (default: the first)")
    parser.add_argument("--pairs", type=int, default=20)
    asked = parser.parse_args()
    board = board_of(asked.inventory, asked.board)
    net = patch_batch(resolve(MODEL).text or "", 1).text
    ways = (
        ("jetbench", lambda: through_jetbench_ms(board)),
        ("by hand", lambda: by_hand_ms(board, net)),
    )
    return compare_in_pairs(ways, asked.pairs, LIMIT)


if __name__ == "__main__":
    sys.exit(main())
