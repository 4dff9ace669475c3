"""Null test: two sweeps of the same thing, compared. Whatever is found is a false alarm.

Without an inventory the sweeps are synthetic, and go through the JSON of results as real ones
do. With one, the boards measure; each pair is a sweep, and at once a second one like it::

    python benchmarks/bench_null.py
    python benchmarks/bench_null.py --tables          # power and false alarms, minutes
    sudo scripts/real-boards up 2
    python benchmarks/bench_null.py .real-boards/real-inventory.yaml --pairs 20

A case is one model on one board. The limit is one false alarm in 1,000 cases; a few real pairs
cannot show that rate, so for them it is no false alarm at all.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.synthetic import TIMES_MS, Noise, synthetic_record, synthetic_sweep
from jetbench.analysis.compare import compare
from jetbench.analysis.fleet import outliers
from jetbench.formats.result import result_to_json
from jetbench.formats.result_read import parse_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jetbench.analysis.compare import Verdict
    from jetbench.domain.kept import KeptSweep

LIMIT = 0.001
"""False alarms a case."""
PAIRS = 200
BOARDS = 3
REPEATS = 3
STDEV, SLOWED, SLOWED_BY = 0.01, 0.05, 0.03
"""Noise of 1 %, and one process in twenty that something slows down by 3 % on average."""
MODEL = "squeezenet1.1"
ITERATIONS = 3

Counts = Counter["Verdict"]


def synthetic_pairs(pairs: int, seed: int = 0) -> Counts:
    """The verdicts on pairs of synthetic sweeps of the same thing."""
    noise = Noise(seed, STDEV, slowed=SLOWED, by=SLOWED_BY)
    counts: Counts = Counter()
    for _ in range(pairs):
        a, b = (_kept(noise) for _ in range(2))
        counts.update(case.verdict for case in compare(a.records, b.records).cases)
    return counts


def _kept(noise: Noise) -> KeptSweep:
    """A sweep as it is read back from its file."""
    document = result_to_json(synthetic_sweep(BOARDS, REPEATS, noise))
    return parse_result(json.dumps(document), "synthetic")


def real_pairs(inventory: Path, pairs: int, options: Iterable[str]) -> Counts:
    """The verdicts on pairs of sweeps that the boards of an inventory measure."""
    command = [
        *(sys.executable, "-m", "jetbench", "run", MODEL, "--inventory", str(inventory)),
        *("--iterations", str(ITERATIONS), "--repeats", str(REPEATS), "--gpu", "none"),
        *("--power-mode", "keep", "--no-clocks", "--quiet", "--format", "json", *options),
    ]
    counts: Counts = Counter()
    for pair in range(1, pairs + 1):
        a, b = (_measured(command) for _ in range(2))
        for case in compare(a.records, b.records).cases:
            counts[case.verdict] += 1
            ratio = "-" if case.speed is None else f"{case.speed.ratio:.3f}"
            why = f" ({'; '.join(case.why)})" if case.why else ""
            print(f"pair {pair:2}, {case.a.board}: {ratio} {case.verdict}{why}", flush=True)
    return counts


def _measured(command: list[str]) -> KeptSweep:
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return parse_result(done.stdout.decode(), "jetbench run")


def alarms(counts: Counts) -> int:
    """How often something was said to be slower or faster."""
    return counts["slower"] + counts["faster"]


def power(cases: int) -> Iterator[str]:
    """How often `compare` finds what is there, and what is not: a row for each n and noise."""
    yield "| processes | noise | false alarms | 5 % slower found | 10 % slower found |"
    yield "|---|---|---|---|---|"
    for stdev in (0.005, 0.01, 0.02, 0.05):
        for n in (3, 5, 10):
            false, *found = (rate_found(cases, n, stdev, slower) for slower in (0.0, 0.05, 0.10))
            cells = [f"{100 * rate:.1f} %" for rate in found]
            row = (str(n), f"{100 * stdev:.1f} %", f"{1000 * false:.2f} in 1,000", *cells)
            yield f"| {' | '.join(row)} |"


def rate_found(cases: int, n: int, stdev: float, slowdown: float) -> float:
    """The part of the cases, in sweeps of twelve, that are said to be slower.

    Args:
        cases: How many, at least.
        n: Processes on either side.
        stdev: Between them.
        slowdown: Of the second sweep; with 0 whatever is said to be faster counts, too.
    """
    noise = Noise(n, stdev)
    wanted = {"slower"} if slowdown else {"slower", "faster"}
    found = done = 0
    while done < cases:
        a = synthetic_sweep(BOARDS, n, noise).records
        b = synthetic_sweep(BOARDS, n, noise, slowdown).records
        found += sum(case.verdict in wanted for case in compare(a, b).cases)
        done += len(a)
    return found / done


def fleet(sweeps: int, boards: int, slowdown: float, stdev: float, seed: int = 0) -> list[int]:
    """In how many sweeps a board was named, and the one that is slower, and any other.

    Args:
        sweeps: How many; four models, three processes each.
        boards: In each.
        slowdown: Of the first board, as a part.
        stdev: Between the processes of a board; between the boards it is 0.8 %.
        seed: The same seed, the same noise.
    """
    noise = Noise(seed, stdev)
    named, found, others = 0, 0, 0
    for _ in range(sweeps):
        records = []
        for board in range(boards):
            speed = math.exp(noise.draw.gauss(0, 0.008)) * (1 + (0 if board else slowdown))
            records += [
                synthetic_record(f"board-{board}", model, noise.times(ms * speed, REPEATS))
                for model, ms in TIMES_MS.items()
            ]
        names = {outlier.board for outlier in outliers(records)}
        named += bool(names)
        found += "board-0" in names
        others += bool(names - {"board-0"})
    return [named, found, others]


def main() -> int:
    """Print the rate of false alarms; 1 where it is above the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("inventory", type=Path, nargs="?", help="of boards that are to measure")
    parser.add_argument("--pairs", type=int, help=f"default: {PAIRS} synthetic ones, 20 real ones")
    parser.add_argument("--board", action="append", default=[], help="only this one; repeatable")
    parser.add_argument("--tables", action="store_true", help="print power and false alarms")
    parser.add_argument("--cases", type=int, default=24_000, help="in each cell of a table")
    asked = parser.parse_args()
    if asked.tables:
        for row in power(asked.cases):
            print(row, flush=True)
        for boards in (12, 3):
            for stdev in (0.005, 0.01, 0.02):
                named, *_ = fleet(asked.cases // 4, boards, 0, stdev)
                _, found, others = fleet(asked.cases // 4, boards, 0.05, stdev, seed=1)
                print(
                    f"{boards} boards, noise {100 * stdev:.1f} %, of {asked.cases // 4} sweeps: "
                    f"any named {named}; one 5 % slower: found {found}, another named {others}",
                    flush=True,
                )
        return 0
    if asked.inventory is None:
        counts, limit = synthetic_pairs(asked.pairs or PAIRS), LIMIT
    else:
        options = [word for name in asked.board for word in ("--board", name)]
        counts, limit = real_pairs(asked.inventory, asked.pairs or 20, options), 0.0
    cases = sum(counts.values())
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    rate = alarms(counts) / cases
    print(f"{cases} cases: {told}")
    print(f"false alarms: {alarms(counts)}, {1000 * rate:.2f} in 1,000 (limit {1000 * limit:g})")
    return int(rate > limit)


if __name__ == "__main__":
    sys.exit(main())
