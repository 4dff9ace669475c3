"""The gate of a night by simulation: false alarms, and how much of a slowdown it finds.

Nights of four models on three boards, three processes a case and as many again in the second look,
normal noise between the processes; a slowdown is one of a single case, the others are as before.
`shift` is what differs between nights for all processes of a case (another temperature, another
layout of memory): both looks of a night share it, and no second look can find it out. The baseline
is a night like the others::

    python benchmarks/bench_gate.py             # the limits of the issue, a minute
    python benchmarks/bench_gate.py --table     # docs/explanation/statistics.md has it; minutes
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from benchmarks.synthetic import TIMES_MS, Noise, synthetic_record
from jetbench.analysis.compare import compare
from jetbench.analysis.gate import judge, suspected

if TYPE_CHECKING:
    from jetbench.domain.record import Record

BOARDS = ("board-1", "board-2", "board-3")
PROCESSES = 3
STDEV = 0.01
MOST_FALSE = 0.001
"""Alarms a case where nothing is slower."""
LEAST_FOUND = {0.05: 0.75, 0.10: 0.99}
"""Of the slowdowns of this size, at `STDEV`."""

Case = tuple[str, str]
CASES: tuple[Case, ...] = tuple((board, model) for board in BOARDS for model in TIMES_MS)


class Nights:
    """Nights whose noise is known.

    Args:
        seed: The same seed, the same noise.
        stdev: Between the processes of a case.
        shift: Between nights, for all processes of a case; a standard deviation, too.
    """

    def __init__(self, seed: int, stdev: float, shift: float) -> None:
        self._noise = Noise(seed, stdev)
        self._shift = shift

    def middles(self, slow: Case | None = None, by: float = 0.0) -> dict[Case, float]:
        """The middle of each case on a night, ms."""
        return {
            case: TIMES_MS[case[1]]
            * (1 + self._noise.draw.gauss(0, self._shift))
            * (1 + by if case == slow else 1)
            for case in CASES
        }

    def records(self, middles: dict[Case, float], processes: int) -> list[Record]:
        """What a sweep of that night measures."""
        return [
            synthetic_record(board, model, self._noise.times(middle_ms, processes))
            for (board, model), middle_ms in middles.items()
        ]


def believed(nights: Nights, processes: int, slow: Case | None, by: float) -> set[Case]:
    """The cases that are said to be slower, on one night against a baseline."""
    before = nights.records(nights.middles(), processes)
    tonight = nights.middles(slow, by)
    comparison = compare(before, nights.records(tonight, processes))
    wanted = {(case.b.board, case.b.model) for case in suspected(comparison)}
    again = nights.records({case: tonight[case] for case in wanted}, processes)
    gate = judge(
        comparison, again, baseline="b", baseline_id="b", sweep_id="s", second_look_id="l"
    )
    return {(one.board, one.model) for one in gate.regressions}


def rates(
    count: int, stdev: float, shift: float, processes: int, by: float
) -> tuple[float, float]:
    """False alarms a case that is as before, and the part of slow cases that is found."""
    nights = Nights(processes, stdev, shift)
    false = found = 0
    for number in range(count):
        slow = CASES[number % len(CASES)] if by else None
        named = believed(nights, processes, slow, by)
        found += slow in named
        false += len(named - {slow})
    return false / (count * (len(CASES) - bool(by))), found / count if by else 0.0


def table(count: int) -> None:
    """A row for each number of processes, noise and shift."""
    print("| processes | noise | shift of the night | false alarms | 5 % found | 10 % found |")
    print("|---|---|---|---|---|---|")
    for processes in (3, 5, 10):
        for stdev, shift in ((0.005, 0.0), (0.01, 0.0), (0.01, 0.005), (0.02, 0.0)):
            false, _ = rates(count * 3, stdev, shift, processes, 0.0)
            cells = [
                f"{100 * rates(count, stdev, shift, processes, by)[1]:.1f} %" for by in LEAST_FOUND
            ]
            print(
                f"| {processes} | {100 * stdev:.1f} % | {100 * shift:.1f} % "
                f"| {1000 * false:.2f} in 1,000 | {' | '.join(cells)} |",
                flush=True,
            )


def main() -> int:
    """Print each rate beside its limit; 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--nights", type=int, default=2000)
    arguments = parser.parse_args()
    if arguments.table:
        table(arguments.nights)
        return 0
    false, _ = rates(arguments.nights, STDEV, 0.0, PROCESSES, 0.0)
    cases = arguments.nights * len(CASES)
    print(f"false alarms: {1000 * false:.3f} in 1,000 of {cases:,} cases, limit 1")
    missed = false >= MOST_FALSE
    for by, least in LEAST_FOUND.items():
        _, found = rates(arguments.nights, STDEV, 0.0, PROCESSES, by)
        print(f"{100 * by:.0f} % slower: found {100 * found:.1f} %, at least {100 * least:.0f} %")
        missed = missed or found < least
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
