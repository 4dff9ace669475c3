"""A night held against its baseline: what looks slower is measured again, once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jetbench.analysis.comparable import key_of
from jetbench.analysis.compare import compare
from jetbench.analysis.gate import judge, suspected
from jetbench.analysis.steps import night_noise
from jetbench.bench.plan import second_look
from jetbench.domain.errors import JetbenchError, StoreError
from jetbench.domain.history import Wanted
from jetbench.formats.gate import gate_to_json
from jetbench.formats.words import escaped
from jetbench.store.database.history import open_history
from jetbench.store.opening import named_sweep
from jetbench.store.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jetbench.domain.gate import Gate
    from jetbench.domain.history import Series
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.plan import Plan
    from jetbench.domain.record import Record, SweepResult

_NIGHTS_LOOKED_AT = 60
"""Of those before: a board that became quieter is not held against its youth."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a night is held against."""

    name: str
    sweep: KeptSweep


def open_baseline(name: str, results: Path, db: str | None) -> Baseline:
    """The baseline of a name, found before any board is touched.

    Raises:
        UsageError: There is none of that name, or it cannot be read.
    """
    return Baseline(name, named_sweep(name, results, db))


def pass_gate(  # noqa: PLR0913 - all but the first five by name
    baseline: Baseline,
    plan: Plan,
    result: SweepResult,
    folder: Path,
    again: Callable[[Plan], SweepResult],
    *,
    db: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Gate, SweepResult | None]:
    """Hold a night against its baseline; what looks slower is measured again, once.

    Args:
        baseline: What it is held against.
        plan: The night's.
        result: What came of it.
        folder: Where it is kept, and what the gate says as well.
        again: Carries out the plan of the second look.
        db: The history, which knows the nights before.
        say: Takes what is worth to be told, a line each.

    Returns:
        What the gate says, and what the second look has brought, where there was one.
    """
    comparison = compare(baseline.sweep.records, result.records)
    wanted = [case.b for case in suspected(comparison)]
    second = None
    if wanted and not result.interrupted:
        closer = second_look(plan, [(one.board, one.model, one.batch) for one in wanted])
        count = f"{len(wanted)} {'case looks' if len(wanted) == 1 else 'cases look'}"
        say(f"{count} slower than {escaped(baseline.name)}: measured again, as {closer.sweep_id}")
        try:
            second = again(closer)
        except JetbenchError as error:
            # The night itself is here, whole: what it says is said, unconfirmed.
            say(f"error: {escaped(error.message)}")
    gate = judge(
        comparison,
        None if second is None else second.records,
        baseline=baseline.name,
        baseline_id=baseline.sweep.id,
        sweep_id=plan.sweep_id,
        second_look_id=None if second is None else second.plan.sweep_id,
        noise_of=_noise_of(db, folder, wanted, say),
    )
    try:
        SweepFolder.open(folder).keep_gate(json.dumps(gate_to_json(gate), indent=1) + "\n")
    except StoreError as error:
        say(f"error: {escaped(error.message)}")
    return gate, second


def _noise_of(
    db: str | None, folder: Path, wanted: Sequence[Record], say: Callable[[str], None]
) -> Callable[[Record], float | None]:
    """By how much the nights of a case usually differ; None where nobody knows.

    The history is read when it is first asked, and once for all that is wanted.
    """

    @cache
    def series() -> Sequence[Series]:
        asked = Wanted(
            boards=tuple({record.board for record in wanted}),
            models=tuple({record.model for record in wanted}),
        )
        try:
            with open_history(db, folder.parent) as history:
                return history.series(asked)
        except JetbenchError as error:
            say(f"note: the nights before are not known: {escaped(error.message)}")
            return ()

    def noise(record: Record) -> float | None:
        for one in series():
            # Of one net under two names each has a series of its own.
            if one.model == record.model and key_of(one.nights[-1].record) == key_of(record):
                return night_noise(
                    [
                        night.record.forward_ms.mean if night.record.forward_ms else None
                        for night in one.nights[-_NIGHTS_LOOKED_AT:]
                        if night.sweep_id != folder.name
                    ]
                )
        return None

    return noise
