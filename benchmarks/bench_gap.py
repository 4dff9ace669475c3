"""The gap between two trials on a board, near and far.

Twice a sweep of a small net, with nothing and with 100 ms of latency each way: a board that
measures on its own does not know the difference. Two clocks are read:

journal
    from ``@done`` of a trial to the ``@trial`` of the next, by the board's uptime (in steps
    of 10 ms): what the runner does between two processes;
logs
    from the last line of a log to the first line of the next, by glog's clock. It holds the
    end and the start of Caffe itself, so the same is done by two runs in a row in a shell
    on the board, and only what the program's trials take longer counts.

::

    sudo scripts/real-boards up 1
    python benchmarks/bench_gap.py .real-boards/real-inventory.yaml
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.latency_proxy import LatencyProxy
from benchmarks.one_board import SMALL_NET, behind, board_of, by_hand, caffe_time, sweep
from jetbench.domain.plan import Options
from jetbench.formats.journal import JournalReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.board import Board

LIMIT_MS = 100.0
ONE_WAY_S = (0.0, 0.1)
TRIALS = 12
ITERATIONS = 2
_CLOCK = re.compile(rb"^[IWE][0-9]{4} ([0-9]{2}):([0-9]{2}):([0-9]{2}\.[0-9]{6}) ", re.MULTILINE)
_DAY_MS = 86_400_000.0


def gaps_ms(board: Board, one_way_s: float) -> tuple[list[float], list[float]]:
    """The gaps of a sweep: by the journal, and by the logs."""
    options = Options(iterations=ITERATIONS, repeats=TRIALS, gpu="none")
    with (
        tempfile.TemporaryDirectory() as folder,
        LatencyProxy(board.host, board.port or 22, one_way_s=one_way_s) as proxy,
    ):
        place = Path(folder)
        net = place / "small.prototxt"
        net.write_text(SMALL_NET, encoding="utf-8")
        far = behind(board, proxy.host, proxy.port, place)
        journal = sweep(far, str(net), options, place).folder / "journals" / board.name
        with journal.open("rb") as lines:
            trials = list(JournalReader().trials(lines))
    by_journal = [
        1000 * (after.started_up_s - before.ended_up_s)
        for before, after in pairwise(trials)
        if after.started_up_s is not None and before.ended_up_s is not None
    ]
    return by_journal, _between([trial.log or b"" for trial in trials])


def shell_gaps_ms(board: Board) -> list[float]:
    """The gaps by the logs of as many runs in a row, in a shell on the board."""
    command = (
        "f=$(mktemp -d) && trap 'rm -r $f' EXIT && cat >$f/net && "
        f"for n in $(seq {TRIALS}); do echo @; {caffe_time(board, '$f/net', ITERATIONS)}; done"
    )
    said = by_hand(board, command, SMALL_NET)
    return _between(said.split(b"@\n")[1:])


def _between(logs: Sequence[bytes]) -> list[float]:
    """From the last line of each log to the first of the next, milliseconds."""
    clocks = [[_of_day_ms(found) for found in _CLOCK.findall(log)] for log in logs]
    return [(after[0] - before[-1]) % _DAY_MS for before, after in pairwise(clocks)]


def _of_day_ms(found: tuple[bytes, bytes, bytes]) -> float:
    hours, minutes, seconds = map(float, found)
    return 1000 * (3600 * hours + 60 * minutes + seconds)


def main() -> int:
    """Print the gaps; 1 where a median is over the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--board", help="its name (default: the first)")
    asked = parser.parse_args()
    board = board_of(asked.inventory, asked.board)
    shell: list[float] = []
    found = {}
    for one_way_s in ONE_WAY_S:
        shell += shell_gaps_ms(board)
        found[one_way_s] = gaps_ms(board, one_way_s)
    shell += shell_gaps_ms(board)
    shell_ms = statistics.median(shell)
    print(f"two runs in a row in a shell on the board: {shell_ms:.0f} ms by the logs")
    over = False
    for one_way_s, (by_journal, by_logs) in found.items():
        journal_ms = statistics.median(by_journal)
        logs_ms = statistics.median(by_logs) - shell_ms
        over = over or max(journal_ms, logs_ms) >= LIMIT_MS
        print(
            f"{1000 * one_way_s:3.0f} ms each way: by the journal {journal_ms:.0f} ms "
            f"(longest {max(by_journal):.0f}), by the logs {logs_ms:.0f} ms more than in a shell "
            f"(longest {max(by_logs) - shell_ms:.0f}); limit {LIMIT_MS:.0f} ms"
        )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
