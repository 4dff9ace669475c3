"""Whether a case's numbers can be believed, and every reason to doubt them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jetbench.analysis.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.analysis.checks.clue import Clue
    from jetbench.domain.evidence import CaseEvidence
    from jetbench.domain.finding import Finding
    from jetbench.domain.record import Status, TrialResult


def judge(evidence: CaseEvidence) -> tuple[Status, tuple[str, ...], tuple[Finding, ...]]:
    """The status of a case, the reasons for it, and its findings; nothing doubtful is silent.

    The reasons are what failed, then what each check has found. A case without any number has
    no findings: there is nothing to doubt.
    """
    results = [trial.result for trial in evidence.trials]
    failures = tuple(_failures(results))
    if all(result.failure is not None for result in results):
        lost = all(result.lost for result in results)
        return ("lost" if lost else "failed"), failures, ()
    findings = _findings(evidence)
    reasons = (*failures, *(finding.evidence for finding in findings))
    return ("suspect" if reasons else "ok"), reasons, findings


def _failures(results: Sequence[TrialResult]) -> Iterator[str]:
    """Each message once, with how many trials it holds for."""
    messages = [result.failure.message for result in results if result.failure is not None]
    for message in dict.fromkeys(messages):
        count = messages.count(message)
        every = "" if count == len(results) else f"{count} of {len(results)} trials: "
        yield f"{every}{message}"


def _findings(evidence: CaseEvidence) -> tuple[Finding, ...]:
    clues: list[Clue] = []
    for check in CHECKS:
        for clue in tuple(check(evidence, tuple(clues))):
            _add(clues, clue)
    return tuple(clue.finding for clue in clues)


def _add(clues: list[Clue], clue: Clue) -> None:
    """Take up a clue, but for an interval that is too wide for a reason that is known.

    That it is too wide must be said, since it was asked for; but it is no fault of its own,
    and goes with the last one that explains the times of any trial.
    """
    causes = [number for number, other in enumerate(clues) if other.explains]
    if clue.finding.check != "precision" or not causes:
        clues.append(clue)
        return
    cause = clues[causes[-1]]
    text = f"{cause.finding.evidence}; {clue.finding.evidence}"
    clues[causes[-1]] = replace(cause, finding=replace(cause.finding, evidence=text))
