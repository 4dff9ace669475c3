"""The gate of a night: held against a baseline, looked at again, said, kept."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jetbench.cli import exit_codes
from jetbench.domain.errors import JetbenchError, ResultError, StoreError, UsageError
from jetbench.formats.words import escaped

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
    from jetbench.store.opening import named_sweep

    return Baseline(name, named_sweep(name, results, db))


def check_gate(baseline: str | None, *, fail: bool, detach: bool) -> None:
    """See that the options of a gate make sense.

    Raises:
        UsageError: They do not.
    """
    if fail and baseline is None:
        raise UsageError(
            "--fail-on-regression needs something to compare with",
            hint="name it with --baseline NAME; `jetbench baseline set NAME SWEEP` makes one",
        )
    if baseline is not None and detach:
        raise UsageError(
            "--baseline waits for the result, and --detach does not",
            hint="leave one out; or `jetbench attach`, then `jetbench compare SWEEP --baseline "
            "NAME`",
        )


def pass_gate(
    baseline: Baseline,
    plan: Plan,
    result: SweepResult,
    folder: Path,
    again: Callable[[Plan], SweepResult],
    db: str | None = None,
) -> tuple[Gate, SweepResult | None]:
    """Hold a night against its baseline; what looks slower is measured again, once.

    Args:
        baseline: What it is held against.
        plan: The night's.
        result: What came of it.
        folder: Where it is kept, and what the gate says as well.
        again: Carries out the plan of the second look.
        db: The history, which knows the nights before.

    Returns:
        What the gate says, and what the second look has brought, where there was one.
    """
    from jetbench.analysis.compare import compare
    from jetbench.analysis.gate import judge, suspected
    from jetbench.bench.plan import second_look
    from jetbench.formats.gate import gate_to_json
    from jetbench.store.sweep_folder import SweepFolder

    comparison = compare(baseline.sweep.records, result.records)
    wanted = [case.b for case in suspected(comparison)]
    second = None
    if wanted and not result.interrupted:
        closer = second_look(plan, [(one.board, one.model, one.batch) for one in wanted])
        count = f"{len(wanted)} {'case looks' if len(wanted) == 1 else 'cases look'}"
        print(
            f"{count} slower than {escaped(baseline.name)}: measured again, as {closer.sweep_id}",
            file=sys.stderr,
        )
        try:
            second = again(closer)
        except JetbenchError as error:
            # The night itself is here, whole: what it says is said, unconfirmed.
            print(f"error: {escaped(error.message)}", file=sys.stderr)
    gate = judge(
        comparison,
        None if second is None else second.records,
        baseline=baseline.name,
        baseline_id=baseline.sweep.id,
        sweep_id=plan.sweep_id,
        second_look_id=None if second is None else second.plan.sweep_id,
        noise_of=_noise_of(db, folder, wanted),
    )
    try:
        SweepFolder.open(folder).keep_gate(json.dumps(gate_to_json(gate), indent=1) + "\n")
    except StoreError as error:
        print(f"error: {escaped(error.message)}", file=sys.stderr)
    return gate, second


def _noise_of(
    db: str | None, folder: Path, wanted: Sequence[Record]
) -> Callable[[Record], float | None]:
    """By how much the nights of a case usually differ; None where nobody knows.

    The history is read when it is first asked, and once for all that is wanted.
    """
    from jetbench.analysis.comparable import key_of
    from jetbench.analysis.steps import night_noise
    from jetbench.domain.history import Wanted
    from jetbench.store.database.history import open_history

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
            said = escaped(error.message)
            print(f"note: the nights before are not known: {said}", file=sys.stderr)
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


def gate_exit_code(
    result: SweepResult, gate: Gate, code: int, *, fail: bool, second: SweepResult | None = None
) -> int:
    """The contract's code for a night.

    Args:
        result: What was measured.
        gate: What it says.
        code: That of the result alone.
        fail: Whether a regression is a failure.
        second: What the second look has brought.
    """
    if second is not None and second.interrupted:
        return exit_codes.INTERRUPTED
    if result.interrupted or not result.measured or not fail:
        return code
    match gate.verdict:
        case "red":
            return exit_codes.REGRESSION
        case "nothing compared":
            return exit_codes.NOTHING
        case "unconfirmed":
            return exit_codes.FAILED
        case "green":
            return code


def read_gate(folder: Path) -> Gate | None:
    """What the gate said of a kept sweep; None where it has passed none.

    Raises:
        ResultError: It was changed by hand.
    """
    from jetbench.formats.gate import parse_gate

    file = folder / "gate.json"
    try:
        return parse_gate(file.read_text(encoding="utf-8"), str(file))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{file}: cannot be read: {error}") from error
