"""From a plan to what one board is sent for a part of it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from jetbench.domain.errors import NotReadyError
from jetbench.formats.kept_plan import plan_to_json
from jetbench.formats.words import printable
from jetbench.remote.parcel import Parcel, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from jetbench.domain.board import Board
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.plan import Case, Plan, Trial

LOG_BLOCKS = 32 * 1024
"""The largest log of a trial, in blocks of 512 bytes: 16 MiB, a hundred times GoogLeNet's. What
a board must have free holds it, packed and in the journal, too."""
REST_S = 1
"""How long a board's power is read at rest, in each power mode."""


def make_parcel(  # noqa: PLR0913 - all by name
    plan: Plan,
    board: Board,
    *,
    facts: BoardFacts,
    probe: bytes,
    cases: Mapping[int, Case],
    trials: Sequence[Trial],
    part: int,
    holder: str,
    deadline_s: int | None,
) -> Parcel:
    """What a board needs to measure `trials`, which are all or some of the plan's.

    Args:
        plan: What was asked for.
        board: Where.
        facts: What the board has said of itself.
        probe: The same as it came, for whoever follows.
        cases: By the number in the plan, the board's own nets filled in.
        trials: What is to be run, in this order.
        part: From 1.
        holder: Who measures, for others.
        deadline_s: For all of it; None without end.

    Raises:
        NotReadyError: The board has no Caffe.
    """
    options = plan.options
    gpu = options.gpu_on(board)
    caffe = facts.caffe
    if caffe is None:
        message = "it has no Caffe"
        raise NotReadyError(message)
    flags = [] if gpu == "none" else ["-gpu", str(gpu)]
    # A build that does not know the flag runs TRAIN, and that is all it can do.
    if caffe.has_phase is not False:
        flags += ["-phase", options.phase]
    if options.stages:
        flags += ["-stage", ",".join(options.stages)]
    root = caffe.path.removesuffix("/build/tools/caffe")
    return Parcel(
        sweep_id=plan.sweep_id,
        part=part,
        board=board.name,
        holder=holder,
        settings={
            "SWEEP": plan.sweep_id,
            "CAFFE": caffe.path,
            "CAFFE_DIR": root if root != caffe.path else ".",
            "FLAGS": " ".join(flags),
            "GUARD": "1" if options.needs_guard else "0",
            "SUDO": facts.sudo,
            "CLOCKS": "1" if options.clocks else "0",
            "TIMEOUT_S": str(options.timeout_s),
            "DEADLINE_S": "" if deadline_s is None else str(deadline_s),
            "LOG_BLOCKS": str(LOG_BLOCKS),
            "TELEMETRY": "1" if options.telemetry else "0",
            "REST_S": str(REST_S),
            "COOL_MC": "" if options.cooldown_c is None else f"{options.cooldown_c * 1e3:.0f}",
            "COOL_WAIT_S": str(options.cooldown_wait_s),
            "PRECISION": "" if options.precision is None else f"{options.precision:g}",
            "MIN_REPEATS": str(options.repeats),
        },
        # glog would leave a file in /tmp for each run; it prints the same on stderr.
        environment=(("GLOG_logtostderr", "1"), *board.env),
        trials=tuple(_rows(plan, cases, trials)),
        models=tuple(
            (f"{number}.prototxt", case.prototxt.data())
            for number, case in cases.items()
            if case.prototxt is not None and _first_alike(cases, case) == number
        ),
        plan=_plan_text(plan),
        labels=tuple(printable(case.model) for case in plan.cases),
        # The board's own files are among the nets already.
        probe=b"".join(line for line in probe.splitlines(keepends=True) if line[:5] != b"file_"),
    )


def in_order(
    plan: Plan, cases: Mapping[int, Case], settled: AbstractSet[int], begun: AbstractSet[int]
) -> list[Trial]:
    """The trials that are still to be run: in the order of the plan, mode by mode.

    Those that were begun and never ended come last in their mode: should one of them bring the
    board down each time, the others are measured before it does.
    """
    left = [trial for trial in plan.trials if trial.case in cases and trial.id not in settled]
    modes = [cases[trial.case].power_mode for trial in left]
    return sorted(
        left, key=lambda trial: (modes.index(cases[trial.case].power_mode), trial.id in begun)
    )


@lru_cache(maxsize=2)
def _plan_text(plan: Plan) -> bytes:
    return json.dumps(plan_to_json(plan, boards=False)).encode()


def _rows(plan: Plan, cases: Mapping[int, Case], trials: Sequence[Trial]) -> Iterator[Row]:
    """The trials for the runner, with the warm-ups before the first of each power mode."""
    options = plan.options
    mode = None
    for trial in trials:
        case = cases[trial.case]
        row = Row(
            id=trial.id,
            model=f"{_first_alike(cases, case)}.prototxt",
            iterations=options.iterations,
            mode=case.power_mode,
            case=trial.case,
            repeat=trial.repeat,
        )
        if case.power_mode != mode:
            mode = case.power_mode
            yield from [replace(row, id=0)] * options.warm_ups
        yield row


def _first_alike(cases: Mapping[int, Case], wanted: Case) -> int:
    """The first case with the same net: it is sent once, for all power modes."""
    return next(number for number, case in cases.items() if case.prototxt == wanted.prototxt)
