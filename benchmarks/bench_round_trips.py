"""Round trips of a whole sweep on a board, from the first packet to the last.

The sweep runs through `latency_proxy` at two latencies; what it takes longer at the longer
one is its round trips (see `latency_proxy.round_trips`). Once with one trial, once with
twelve: the number must not depend on it, since a board measures on its own. The Caffe that
is run is a script that waits for a moment, so that the times differ by nothing else::

    sudo scripts/real-boards up 1
    python benchmarks/bench_round_trips.py .real-boards/real-inventory.yaml
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.latency_proxy import round_trips
from benchmarks.one_board import SMALL_NET, behind, board_of, sweep, with_fake_caffe
from jetbench.domain.plan import Options

LIMIT = 16
MANY_TRIALS = 12
ONE_WAY_S = (0.02, 0.25)


def count(inventory: Path, name: str | None, trials: int, repeats: int) -> float:
    """The round trips of a sweep of so many trials, with power mode and clocks set."""
    board = with_fake_caffe(board_of(inventory, name))
    options = Options(iterations=1, repeats=trials, gpu="none")
    with tempfile.TemporaryDirectory() as folder:
        net = Path(folder, "small.prototxt")
        net.write_text(SMALL_NET, encoding="utf-8")

        def job(host: str, port: int) -> None:
            place = Path(folder)
            sweep(behind(board, host, port, place), str(net), options, place / "results")

        return round_trips(job, board.host, board.port or 22, one_way_s=ONE_WAY_S, repeats=repeats)


def main() -> int:
    """Print both numbers; 1 where one is over the limit, or where they differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--board", help="its name (default: the first)")
    parser.add_argument("--repeats", type=int, default=5, help="the fastest of so many counts")
    asked = parser.parse_args()
    one, many = (
        count(asked.inventory, asked.board, trials, asked.repeats) for trials in (1, MANY_TRIALS)
    )
    print(f"round trips of a sweep of  1 trial   {one:.2f}  (limit {LIMIT})")
    print(f"round trips of a sweep of {MANY_TRIALS} trials  {many:.2f}  (limit {LIMIT})")
    print(f"each trial more costs {(many - one) / (MANY_TRIALS - 1):+.3f}")
    return int(max(round(one), round(many)) > LIMIT or abs(many - one) >= 1)


if __name__ == "__main__":
    sys.exit(main())
