"""A plan in words, for ``--dry-run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.formats.words import printable, shapes_text

if TYPE_CHECKING:
    from jetbench.domain.plan import Plan, Trial


def plan_text(plan: Plan) -> str:
    """What would be measured, where, and in which order."""
    options = plan.options
    clocks = "locked" if options.clocks else "left alone"
    lines = [
        f"{_count(len(plan.boards), 'board')}: {', '.join(board.name for board in plan.boards)}",
        (
            f"{_count(len(plan.cases), 'case')}, {_count(options.repeats, 'process', 'processes')}"
            f" of {_count(options.iterations, 'iteration')} each, phase {options.phase}, "
            f"power mode {printable(options.power_mode)}, clocks {clocks}:"
        ),
    ]
    for case in plan.cases:
        what = "to be fetched from each board"
        if case.prototxt is not None:
            what = shapes_text(case.prototxt.input_shapes)
        lines.append(f"  {printable(case.model)} batch {case.batch}: {what}")
        if case.prototxt is not None:
            lines += [f"    note: {printable(note)}" for note in case.prototxt.notes]
    for repeat in range(1, options.repeats + 1):
        order = " ".join(
            printable(plan.cases[trial.case].model) + _batch(plan, trial)
            for trial in plan.trials
            if trial.repeat == repeat
        )
        lines.append(f"round {repeat}: {order}")
    return "\n".join(lines) + "\n"


def _batch(plan: Plan, trial: Trial) -> str:
    return f"/{plan.cases[trial.case].batch}" if len(plan.options.batches) > 1 else ""


def _count(number: int, one: str, many: str | None = None) -> str:
    """``1 board``, ``2 boards``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
