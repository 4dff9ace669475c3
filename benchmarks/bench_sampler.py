"""What it costs a board to have its sensors read: CPU time of all that does it.

Times with and without telemetry differ by less than a shared machine's own noise, so what can be
taken from a measurement at most is counted instead: the CPU time of the sampler, of tegrastats and
of whatever they start, as a part of one core. A board has other cores for it, so that is an upper
bound::

    sudo scripts/real-boards up 1
    python benchmarks/bench_sampler.py .real-boards/real-inventory.yaml
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.one_board import board_of, by_hand
from jetbench.remote.exchange import script_text

LIMIT = 0.005
"""Of one core."""
SAMPLE_MS = 500
TICKS = 100
"""A second, in /proc/PID/stat: the kernel's own unit for user space."""
_RUN = """\
mkdir -p sampling && cd sampling && cat >both && head -c {common} both >common.sh &&
tail -c +{after} both >sampler.sh || exit
setsid sudo -n sh "$PWD/sampler.sh" $$ {interval} >out 2>/dev/null </dev/null &
sleep {seconds}
session=$(ps -o sid= -p "$(pgrep -o -f "$PWD/sampler.sh" | head -n 1)")
cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^[0-9]* (.*) //' | awk -v session="$session" '
    $4 == session + 0 {{ ticks += $12 + $13 + $14 + $15 }}
    END {{ print "ticks", ticks + 0 }}'
echo "samples $(wc -l <out)"
sudo -n pkill -TERM -f "$PWD/sampler.sh"
cd .. && rm -rf sampling
"""


def main() -> int:
    """Print the part of a core; 1 where it is above the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--board", help="its name (default: the first)")
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    board = board_of(asked.inventory, asked.board)
    common, sampler = script_text("common.sh"), script_text("sampler.sh")
    run = _RUN.format(
        common=len(common), after=len(common) + 1, interval=SAMPLE_MS, seconds=asked.seconds
    )
    said = by_hand(board, run, (common + sampler).decode()).decode()
    found = dict(line.split() for line in said.splitlines() if len(line.split()) > 1)
    samples, ticks = int(found["samples"]), int(found["ticks"])
    share = ticks / TICKS / asked.seconds
    print(
        f"{samples} samples in {asked.seconds} s took {ticks / TICKS:.2f} s of CPU time: "
        f"{100 * share:.2f} % of one core (limit {100 * LIMIT} %)"
    )
    enough = samples >= asked.seconds * 1000 / SAMPLE_MS * 0.9
    return int(share > LIMIT or not enough)


if __name__ == "__main__":
    sys.exit(main())
