"""Sweeps under random faults, one seed each: ``python -m tests.chaos.run --seeds 0-999``.

A seed decides everything: the options, the faults, and what the boards must have said before
each of them. One that fails is told with its faults in the order in which they happened, and
its folder is kept; ``--seeds N`` repeats it.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.cli import exit_codes
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from tests.chaos.board import WatchedBoard
from tests.chaos.checks import check_board, is_complete, readable
from tests.chaos.scenario import BOARDS, scenario
from tests.chaos.sweep import Sweep
from tests.e2e.program import at_rest, power_state, wait_until
from tests.virtual.helpers import processes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.virtual.fleet import VirtualBoard
    from tests.chaos.scenario import Kind, Scenario

_REST_S = 10.0


@dataclass(frozen=True)
class Report:
    """What came of a seed."""

    seed: int
    seconds: float
    fired: tuple[Kind, ...]
    parts: int
    """Over how many parts the boards have measured what they would have measured in four."""
    killed: int
    """Trials that failed because their Caffe was killed."""
    story: tuple[str, ...]
    problem: str | None


def run_seed(seed: int, folder: Path) -> Report:
    """Run the sweep of a seed in a folder of its own, which stays where something is wrong."""
    return run_scenario(scenario(seed), folder)


def run_scenario(plan: Scenario, folder: Path) -> Report:
    """Run a sweep with its faults."""
    began_s = time.monotonic()
    place = folder / f"seed-{plan.seed}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    problem = None
    counts: Counter[str] = Counter()
    sweep: Sweep | None = None
    with ExitStack() as stack:
        fleet = stack.enter_context(
            VirtualFleet(BOARDS, place / "fleet", BoardOptions(time_scale=0.0, seed=plan.seed))
        )
        before = [power_state(board) for board in fleet.boards]
        boards = [WatchedBoard(board, place / "truth" / board.name) for board in fleet.boards]
        try:
            sweep = Sweep(plan, fleet, boards, place)
            stack.callback(sweep.end_all)
            sweep.run()
            counts = check_all(sweep)
            assert [power_state(board) for board in fleet.boards] == before, "power state"
        except Exception:  # noqa: BLE001 - whatever it is, the seed has failed
            problem = traceback.format_exc()
    story = (str(plan), *(sweep.story if sweep else ()))
    if problem is None:
        shutil.rmtree(place)
    else:
        (place / "story").write_text("\n".join((*story, problem)), "utf-8")
    fired = tuple(fault.kind for fault in sweep.fired) if sweep else ()
    seconds = time.monotonic() - began_s
    return Report(plan.seed, seconds, fired, counts["parts"], counts["killed"], story, problem)


def check_all(sweep: Sweep) -> Counter[str]:
    """What must hold at the end of a sweep."""
    counts: Counter[str] = Counter()
    assert sweep.id is not None
    for number, board in enumerate(sweep.boards):
        killed = sum(
            fault.kind == "kill caffe" and fault.moment.board == number for fault in sweep.fired
        )
        counts.update(check_board(board, sweep.id, sweep.hosts, killed=killed))
    for each in sweep.fleet.boards:
        _check_rest(each)
    host = next(host for host in sweep.hosts if host.document(sweep.id) is not None)
    compared = host("compare", sweep.id, sweep.id, "--format", "json")
    # One that was stopped too early has nothing to compare.
    few = () if is_complete(host.document(sweep.id)) else (exit_codes.NOTHING,)
    assert compared.status in {exit_codes.OK, *few}, compared.err
    readable(compared.out)
    return counts


def _check_rest(board: VirtualBoard) -> None:
    """Nothing of ours is left there; what is told to end may take a moment."""
    try:
        wait_until(lambda: at_rest(board), within_s=_REST_S)
    except AssertionError:
        left = [
            str(path.relative_to(board.home)) for path in (board.home / ".jetbench").rglob("*")
        ]
        message = f"{board.name} is not at rest: {left[:9]}, {processes_of(board.root)}"
        raise AssertionError(message) from None


def summary(reports: Sequence[Report]) -> str:
    """How many sweeps, with which faults, how long, and what was lost."""
    faults = Counter(kind for report in reports for kind in report.fired)
    seconds = sum(report.seconds for report in reports) / max(len(reports), 1)
    failed = [report.seed for report in reports if report.problem]
    return "\n".join(
        (
            f"{len(reports)} sweeps of {seconds:.1f} s on average, {sum(faults.values())} faults:",
            ", ".join(f"{count} {kind}" for kind, count in sorted(faults.items())),
            f"{sum(report.parts for report in reports)} parts",
            f"{sum(report.killed for report in reports)} trials failed as killed",
            f"failed seeds: {', '.join(map(str, failed)) or 'none'}",
        )
    )


def main() -> int:
    """Run the seeds of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-9", metavar="A-B", help="or a single one")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="sweeps at a time")
    parser.add_argument("--folder", type=Path, default=Path("build/chaos"), help="of failed ones")
    arguments = parser.parse_args()
    first, _, last = arguments.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    reports = []
    folder = arguments.folder.resolve()
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        for report in pool.map(run_seed, seeds, itertools.repeat(folder)):
            reports.append(report)
            lines = [f"seed {report.seed}: {report.seconds:.1f} s, {', '.join(report.fired)}"]
            if report.problem:
                lines += [*report.story, report.problem]
            sys.stdout.write("\n".join((*lines, "")))
            sys.stdout.flush()
    sys.stdout.write(summary(reports) + "\n")
    return 1 if any(report.problem for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
