"""The gate of a night: what looks slower than the baseline, and what of it is believed.

Two looks, so that a night rarely cries wolf and yet sees 5 %:

1. The first look suspects a case whose mean forward time is more than `THRESHOLD` above the
   baseline's, whatever the spread says. A look that is too eager costs some minutes, no more.
2. What is suspected is measured again, once, by as many processes. A case is believed to be slower
   where the second look alone is above `THRESHOLD` as well, and both looks together are slower by
   the rule of `analysis.compare`: the threshold, Welch's test, and the noise that is usual in
   these sweeps.

3. The processes of both looks ran in the same night: what is different in this night only (another
   temperature, another layout of memory) both of them see. So what both say is held against the
   nights before, where there are enough: a case whose nights usually differ by as much is not
   believed either (`NIGHTS`). docs/explanation/statistics.md says what is left.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from jetbench.analysis.comparable import key_of
from jetbench.analysis.compare import COMPARED, THRESHOLD, compare
from jetbench.analysis.difference import carriers
from jetbench.analysis.statistics import summarize
from jetbench.domain.gate import Belief, Gate, GateLayer, NoVerdict, Suspicion

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from jetbench.analysis.compare import CaseComparison, Comparison
    from jetbench.domain.record import Record, Summary


NIGHTS = 4.0
"""Standard deviations of the ratio of two nights, by those before: less is nothing unusual."""


def suspected(comparison: Comparison) -> tuple[CaseComparison, ...]:
    """The cases that a second look is to decide."""
    return tuple(
        case
        for case in comparison.cases
        if case.speed is not None
        and case.verdict in {*COMPARED, "too few"}
        and case.speed.ratio > 1 + THRESHOLD
    )


def judge(  # noqa: PLR0913 - all by name
    comparison: Comparison,
    again: Sequence[Record] | None,
    *,
    baseline: str,
    baseline_id: str,
    sweep_id: str,
    second_look_id: str | None,
    noise_of: Callable[[Record], float | None] = lambda _: None,
) -> Gate:
    """What is believed of a night.

    Args:
        comparison: The baseline (A) and the night (B).
        again: The records of the second look; None where there was none.
        baseline: The name of the baseline.
        baseline_id: Its id.
        sweep_id: That of the night.
        second_look_id: That of the second look.
        noise_of: By how much the nights of a case usually differ: a standard deviation, as a part
            of the time; None where that is not known. Asked of what both looks find slower only.
    """
    of_second = {_same(record): record for record in again or ()}
    together = _together(comparison, of_second)
    suspicions = tuple(
        _suspicion(case, of_second.get(_same(case.b)), together.get(_same(case.b)), noise_of)
        for case in suspected(comparison)
    )
    decided = {_same(case.b) for case in suspected(comparison)}
    return Gate(
        baseline=baseline,
        baseline_id=baseline_id,
        sweep_id=sweep_id,
        compared=sum(
            case.verdict in COMPARED or _same(case.b) in decided for case in comparison.cases
        ),
        faster=sum(case.verdict == "faster" for case in comparison.cases),
        suspicions=suspicions,
        no_verdict=(*_undecided(comparison, decided), *_alone(comparison)),
        second_look_id=second_look_id,
    )


def _together(
    comparison: Comparison, of_second: Mapping[Hashable, Record]
) -> dict[Hashable, CaseComparison]:
    """Each suspected case, the processes of both looks against those of the baseline.

    All other cases are compared as they are: they tell the noise that is usual.
    """
    before = [case.a for case in comparison.cases]
    now = [_pooled(case.b, of_second.get(_same(case.b))) for case in comparison.cases]
    return {_same(case.b): case for case in compare(before, now).cases}


def _pooled(first: Record, second: Record | None) -> Record:
    if second is None or first.forward_ms is None or second.forward_ms is None:
        return first
    values = (*first.forward_ms.values, *second.forward_ms.values)
    return replace(first, forward_ms=summarize(values))


def _suspicion(
    case: CaseComparison,
    second: Record | None,
    together: CaseComparison | None,
    noise_of: Callable[[Record], float | None],
) -> Suspicion:
    speed, before, now = case.speed, case.a.forward_ms, case.b.forward_ms
    if speed is None or before is None or now is None:  # for the types: it is suspected
        raise ValueError(case)
    belief, second_ratio = _believed(before, second, together)
    pooled = together.b.forward_ms if together is not None else None
    if belief == "confirmed" and pooled is not None:
        noise = noise_of(case.b)
        # Two nights differ by √2 times what each differs from the middle of all.
        if noise and math.log(pooled.mean / before.mean) <= NIGHTS * math.sqrt(2) * noise:
            belief = "as usual"
    mode = case.b.power_mode
    return Suspicion(
        board=case.b.board,
        model=case.b.model,
        batch=case.b.batch,
        power_mode=None if mode is None else mode.name or str(mode.id),
        before_ms=before.mean,
        now_ms=(pooled or now).mean,
        ratio=speed.ratio,
        ratio_ci95=(speed.ratio - speed.half_width, speed.ratio + speed.half_width),
        belief=belief,
        second_ratio=second_ratio,
        changed=tuple(difference.text for difference in case.changed),
        layers=tuple(
            GateLayer(layer.name, layer.a_ms, layer.b_ms, layer.share)
            for layer in carriers(case.a, second if belief == "confirmed" and second else case.b)
        ),
    )


def _believed(
    before: Summary, second: Record | None, together: CaseComparison | None
) -> tuple[Belief, float | None]:
    if second is None or second.forward_ms is None or together is None or before.mean <= 0:
        return "not measured again", None
    ratio = second.forward_ms.mean / before.mean
    if ratio > 1 + THRESHOLD and together.verdict == "slower":
        return "confirmed", ratio
    return "not confirmed", ratio


def _undecided(comparison: Comparison, decided: Iterable[Hashable]) -> Iterable[NoVerdict]:
    known = set(decided)
    for case in comparison.cases:
        if case.verdict not in COMPARED and _same(case.b) not in known:
            why = "; ".join(case.why) or case.verdict
            yield NoVerdict(case.a.board, case.a.model, case.a.batch, f"{case.verdict}: {why}")


def _alone(comparison: Comparison) -> Iterable[NoVerdict]:
    for records, where in (
        (comparison.only_a, "only in the baseline"),
        (comparison.only_b, "not in the baseline"),
    ):
        for record in records:
            yield NoVerdict(record.board, record.model, record.batch, where)


def _same(record: Record) -> Hashable:
    """What a record of the first look and its one of the second share."""
    return key_of(record), record.model
