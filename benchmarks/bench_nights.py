"""The gate on nights of boards that run real Caffe: is anything called slower that is not?

Each night is `jetbench run --baseline … --fail-on-regression` against the night before it, with
its second look; nothing is changed between them, so that every regression is a false alarm::

    sudo scripts/real-boards up 2
    python benchmarks/bench_nights.py .real-boards/real-inventory.yaml --nights 20

The spread between the processes, and what the night's mean differs by from that of the night
before, are printed too: they say what the gate can find there.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from scipy.stats import beta

from jetbench.formats.result_read import parse_result

if TYPE_CHECKING:
    from jetbench.domain.kept import KeptSweep

MODELS = ("squeezenet1.1", "mobilenet_v2")
ITERATIONS = 10
REPEATS = 3
GATE_CODES = frozenset({0, 1, 3, 4})
"""1: a trial failed, or what looked slower could not be measured again; 3: the processes spread so
much that nothing can be compared. No reason to stop."""


def night(inventory: Path, results: Path, models: list[str], more: list[str]) -> dict[str, object]:
    """The document of a night."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "jetbench", "run", *models, "--inventory", str(inventory)),
            *("--iterations", str(ITERATIONS), "--repeats", str(REPEATS), "--gpu", "none"),
            *("--power-mode", "keep", "--no-clocks", "--quiet", "--format", "json"),
            *("--results", str(results), *more),
        ],
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode not in GATE_CODES:
        raise SystemExit(f"jetbench run: exit code {done.returncode}")
    document: dict[str, object] = json.loads(done.stdout)
    return document


def become_baseline(results: Path) -> None:
    """Make the last night what the next one is held against."""
    command = [sys.executable, "-m", "jetbench", "baseline", "set", "before", "latest"]
    subprocess.run([*command, "--results", str(results)], check=True, stderr=subprocess.DEVNULL)


def shifts(before: KeptSweep, now: KeptSweep) -> list[float]:
    """By how much each case's mean is another one, as a logarithm."""
    old = {(record.board, record.model): record.forward_ms for record in before.records}
    return [
        math.log(record.forward_ms.mean / other.mean)
        for record in now.records
        if record.forward_ms and (other := old.get((record.board, record.model)))
    ]


def highest_rate(alarms: int, cases: int) -> float:
    """The highest rate that fits what was seen (Clopper and Pearson, one-sided, 95 %)."""
    return 1.0 if alarms >= cases else float(beta.ppf(0.95, alarms + 1, cases - alarms))


def main() -> int:
    """Print each night; 1 where one was called red."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--before", type=int, default=8, help="nights that only make a history")
    parser.add_argument("--model", action="append", dest="models")
    arguments = parser.parse_args()
    models = arguments.models or list(MODELS)
    beliefs: Counter[str] = Counter()
    cases = silent = 0
    all_shifts: list[float] = []
    spreads: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        results = Path(name)
        for _ in range(max(arguments.before, 1) - 1):
            night(arguments.inventory, results, models, [])
        before = parse_result(json.dumps(night(arguments.inventory, results, models, [])), "")
        for number in range(1, arguments.nights + 1):
            become_baseline(results)
            gated = ["--baseline", "before", "--fail-on-regression"]
            document = night(arguments.inventory, results, models, gated)
            now = parse_result(json.dumps(document), "")
            gate = document["gate"]
            if not isinstance(gate, dict):
                raise SystemExit("no gate")
            cases += gate["compared"]
            silent += len(gate["no_verdict"])
            beliefs.update(one["belief"] for one in gate["suspicions"])
            all_shifts += shifts(before, now)
            spreads += [
                one.forward_ms.spread
                for one in now.records
                if one.forward_ms and one.forward_ms.spread is not None
            ]
            again = len(gate["suspicions"])
            print(f"night {number:2}: {gate['verdict']}, {again} looked at again", flush=True)
            before = now
    print(f"{cases} cases, {beliefs['confirmed']} false alarms, "
          f"{beliefs['as usual']} as usual, {beliefs['not confirmed']} suspected once, "
          f"{beliefs['not measured again']} not measured again; {silent} too noisy")  # fmt: skip
    print(f"the rate is below {1000 * highest_rate(beliefs['confirmed'], cases):.1f} in 1,000, "
          "at 95 %")  # fmt: skip
    print(f"processes spread by {100 * statistics.median(spreads):.1f} % (median), "
          f"nights by {100 * statistics.stdev(all_shifts):.1f} % (of their ratios)")  # fmt: skip
    return int(beliefs["confirmed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
