"""What it costs to read a board's sensors while it measures: forward times with and without.

In pairs, each way first in every other pair; the median of the pairs' ratios is within
1.000 ± 0.005::

    sudo scripts/real-boards up 1
    python benchmarks/bench_telemetry.py .real-boards/real-inventory.yaml
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.one_board import board_of, compare_in_pairs, forward_ms
from jetbench.domain.plan import Options

if TYPE_CHECKING:
    from jetbench.domain.board import Board

MODEL = "bvlc_alexnet"
ITERATIONS = 10
LIMIT = 0.005


def measured_ms(board: Board, *, telemetry: bool) -> float:
    """One process, after a warm-up."""
    options = Options(iterations=ITERATIONS, repeats=1, gpu="none", telemetry=telemetry)
    with tempfile.TemporaryDirectory() as folder:
        return forward_ms(board, MODEL, options, Path(folder))


def main() -> int:
    """Print medians, spreads and the ratio; 1 where it is too far from 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--board", help="its name (default: the first)")
    parser.add_argument("--pairs", type=int, default=40)
    asked = parser.parse_args()
    board = board_of(asked.inventory, asked.board)
    ways = (
        ("with telemetry", lambda: measured_ms(board, telemetry=True)),
        ("without telemetry", lambda: measured_ms(board, telemetry=False)),
    )
    return compare_in_pairs(ways, asked.pairs, LIMIT)


if __name__ == "__main__":
    sys.exit(main())
