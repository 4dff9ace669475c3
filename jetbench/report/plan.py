"""A plan in words, for ``--dry-run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.formats.words import printable, shapes_text

if TYPE_CHECKING:
    from jetbench.domain.plan import Case, Plan, Trial


def plan_text(plan: Plan) -> str:
    """What would be measured, where, and in which order."""
    options = plan.options
    clocks = "locked" if options.clocks else "left alone"
    lines = [
        f"{_count(len(plan.boards), 'board')}: {', '.join(board.name for board in plan.boards)}",
        (
            f"{_count(len(plan.cases), 'case')}, {_count(options.repeats, 'process', 'processes')}"
            f" of {_count(options.iterations, 'iteration')} each, phase {options.phase}, "
            f"power mode {printable(', '.join(options.power_modes))}, clocks {clocks}:"
        ),
    ]
    for case in plan.cases:
        what = "to be fetched from each board"
        if case.prototxt is not None:
            what = shapes_text(case.prototxt.input_shapes)
        lines.append(f"  {printable(case.model)} batch {case.batch}{_mode(plan, case)}: {what}")
        if case.prototxt is not None:
            lines += [f"    note: {printable(note)}" for note in case.prototxt.notes]
    rounds: dict[tuple[str, int], list[str]] = {}
    for trial in plan.trials:
        case = plan.cases[trial.case]
        shown = printable(case.model) + _batch(plan, trial)
        rounds.setdefault((_mode(plan, case), trial.repeat), []).append(shown)
    lines += [
        f"round {repeat}{mode}: {' '.join(order)}" for (mode, repeat), order in rounds.items()
    ]
    if options.precision is not None:
        lines.append(
            f"Rounds after the {_ordinal(options.repeats)} only where the 95 % interval is wider "
            f"than ±{100 * options.precision:g} %."
        )
    return "\n".join(lines) + "\n"


def _mode(plan: Plan, case: Case) -> str:
    """`` in mode 3`` where there are several."""
    several = len(plan.options.power_modes) > 1
    return f" in mode {printable(case.power_mode)}" if several else ""


def _ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``4th``, ``11th``."""
    teens = number // 10 % 10 == 1
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _batch(plan: Plan, trial: Trial) -> str:
    return f"/{plan.cases[trial.case].batch}" if len(plan.options.batches) > 1 else ""


def _count(number: int, one: str, many: str | None = None) -> str:
    """``1 board``, ``2 boards``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
