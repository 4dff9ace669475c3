"""Round trips of a whole sweep on a board, from the first packet to the last.

The sweep runs through `latency_proxy` at two latencies; what it takes longer at the longer
one is its round trips (as in `latency_proxy.round_trips`). The time that the board measures
by itself, as its journal says, does not count: it would only add its noise. Once with one
trial, once with twelve: the number must not depend on it. The Caffe that is run is a script
that waits for a moment::

    sudo scripts/real-boards up 1
    python benchmarks/bench_round_trips.py .real-boards/real-inventory.yaml
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.latency_proxy import LatencyProxy
from benchmarks.one_board import SMALL_NET, behind, board_of, sweep, with_fake_caffe
from jetbench.domain.plan import Options
from jetbench.formats.journal import EventReader

if TYPE_CHECKING:
    from jetbench.domain.board import Board

LIMIT = 16
MANY_TRIALS = 12
ONE_WAY_S = (0.02, 0.25)


def round_trips(board: Board, trials: int, repeats: int) -> float:
    """Of a sweep of so many trials, with power mode and clocks set."""
    low_s, high_s = (
        min(waiting_s(board, trials, one_way_s) for _ in range(repeats)) for one_way_s in ONE_WAY_S
    )
    return (high_s - low_s) / (2 * (ONE_WAY_S[1] - ONE_WAY_S[0]))


def waiting_s(board: Board, trials: int, one_way_s: float) -> float:
    """How long a sweep takes, without the time in which the board works by itself."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LatencyProxy(board.host, board.port or 22, one_way_s=one_way_s) as proxy,
    ):
        place = Path(folder)
        net = place / "small.prototxt"
        net.write_text(SMALL_NET, encoding="utf-8")
        far = behind(board, proxy.host, proxy.port, place)
        options = Options(iterations=1, repeats=trials, gpu="none")
        started_s = time.perf_counter()
        swept = sweep(far, str(net), options, place / "results")
        wall_s = time.perf_counter() - started_s
        journal = (swept.folder / "journals" / board.name).read_bytes()
    up_s = {event.kind: event.fields.get("up") for event in EventReader().feed(journal)}
    return wall_s - (float(up_s["end"] or 0) - float(up_s["start"] or 0))


def main() -> int:
    """Print both numbers; 1 where one is over the limit, or where they differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--board", help="its name (default: the first)")
    parser.add_argument("--repeats", type=int, default=5, help="the fastest of so many counts")
    asked = parser.parse_args()
    board = with_fake_caffe(board_of(asked.inventory, asked.board))
    one, many = (round_trips(board, trials, asked.repeats) for trials in (1, MANY_TRIALS))
    print(f"round trips of a sweep of  1 trial   {one:.2f}  (limit {LIMIT})")
    print(f"round trips of a sweep of {MANY_TRIALS} trials  {many:.2f}  (limit {LIMIT})")
    return int(max(round(one), round(many)) > LIMIT or abs(many - one) >= 1)


if __name__ == "__main__":
    sys.exit(main())
