"""Steps in series of nights, by simulation: found, missed, false; drifts told from steps.

Series of 60 nights, normal noise from night to night; where there is no step, one night in fifty
stands 8 % above the others::

    python benchmarks/bench_steps.py            # the table of `history`'s page, a minute
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from jetbench.analysis.steps import find_trend

if TYPE_CHECKING:
    from collections.abc import Callable

    from jetbench.domain.trend import Trend

NIGHTS = 60
LONG = 1800
LONE = 0.02
USUAL = 0.01
"""The noise that the limits are for."""
MOST_FALSE = 0.001
"""Series with a step or a drift where there is none, at 1 % noise."""
LEAST_FOUND = {0.05: 0.75, 0.10: 0.99}
MOST_S = 1.0
"""For five years of nights."""


def series(
    dice: random.Random, noise: float, shape: Callable[[int], float], lone: float = 0.0
) -> list[float | None]:
    """The nights of a case that takes 50 ms, times the shape."""
    return [
        50 * shape(night) * (1 + dice.gauss(0, noise)) * (1.08 if dice.random() < lone else 1.0)
        for night in range(NIGHTS)
    ]


def trends(
    count: int, noise: float, shape: Callable[[int, int], float], lone: float = 0.0
) -> list[Trend]:
    """What is found in some series; a shape knows the number of its series and the night."""
    dice = random.Random(7)  # noqa: S311 - noise, and the same each time
    days = [float(night) for night in range(NIGHTS)]
    return [
        find_trend(series(dice, noise, partial(shape, number), lone), days)
        for number in range(count)
    ]


def place(number: int) -> int:
    """The night of the step in a series: anywhere but at the ends."""
    return 5 + number % (NIGHTS - 10)


def stepped(size: float, number: int, night: int) -> float:
    """A step up."""
    return 1 + size * (night >= place(number))


def main() -> int:
    """Print the tables; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1000)
    count: int = parser.parse_args().series
    missed = False
    print("| noise | false | 5 % found | its date off by one or more | 10 % found | drift of 10 % "
          "is a drift | called steps |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for noise in (0.0, 0.005, 0.01, 0.02, 0.05):
        flat = trends(count * 3, noise, lambda _, __: 1.0, lone=LONE)
        false = sum(bool(trend.steps) or trend.drift_a_day is not None for trend in flat)
        cells = [f"{1000 * false / len(flat):.2f} in 1,000"]
        missed = missed or (noise == USUAL and false / len(flat) >= MOST_FALSE)
        for size in (0.05, 0.10):
            found = trends(
                count,
                noise,
                lambda n, night, size=size: 1 + size * (night >= place(n)),  # type: ignore[misc]
            )
            right = [
                (trend.steps[0].at - place(number))
                for number, trend in enumerate(found)
                if len(trend.steps) == 1
            ]
            cells.append(f"{100 * len(right) / count:.1f} %")
            missed = missed or (noise == USUAL and len(right) / count < LEAST_FOUND[size])
            if size == min(LEAST_FOUND):
                off = sum(miss != 0 for miss in right) / max(len(right), 1)
                cells.append(f"{100 * off:.1f} %")
        drifting = trends(count, noise, lambda _, night: 1 + 0.1 * night / NIGHTS)
        kinds = Counter(
            "steps" if one.steps else "drift" if one.drift_a_day else "nothing" for one in drifting
        )
        cells += [f"{100 * kinds[kind] / count:.1f} %" for kind in ("drift", "steps")]
        print(f"| {100 * noise:.1f} % | {' | '.join(cells)} |", flush=True)
    wild = trends(count, 0.30, lambda _, __: 1.0)
    silent = sum(trend.verdict == "too noisy" for trend in wild)
    print(
        f"30 % noise: {silent} of {count} too noisy, {sum(bool(t.steps) for t in wild)} with steps"
    )
    dice = random.Random(3)  # noqa: S311 - as above
    long = [50 * (1.1 if night > LONG // 3 else 1) * dice.gauss(1, 0.01) for night in range(LONG)]
    begin = time.perf_counter()
    trend = find_trend(long, [float(night) for night in range(LONG)])
    seconds = time.perf_counter() - begin
    print(f"{LONG} nights: {seconds:.3f} s, {len(trend.steps)} step, limit {MOST_S:.0f} s")
    return int(missed or seconds > MOST_S)


if __name__ == "__main__":
    sys.exit(main())
