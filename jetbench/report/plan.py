"""A plan in words, for ``--dry-run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.formats.words import printable, shapes_text

if TYPE_CHECKING:
    from jetbench.domain.plan import Plan


def plan_text(plan: Plan) -> str:
    """What would be measured, where, and in which order."""
    options = plan.options
    lines = [
        f"{len(plan.boards)} boards: {', '.join(board.name for board in plan.boards)}",
        (
            f"{len(plan.cases)} cases, {options.repeats} processes of {options.iterations} "
            f"iterations each, phase {options.phase}, power mode {printable(options.power_mode)}, "
            f"clocks {'locked' if options.clocks else 'left alone'}:"
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
            printable(plan.cases[trial.case].model)
            for trial in plan.trials
            if trial.repeat == repeat
        )
        lines.append(f"round {repeat}: {order}")
    return "\n".join(lines) + "\n"
