"""What a verdict found, in short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.analysis.verdict import judge

if TYPE_CHECKING:
    from jetbench.domain.evidence import CaseEvidence
    from jetbench.domain.finding import Finding


def names(evidence: CaseEvidence) -> list[str]:
    """The checks that found something, in order."""
    return [finding.check for finding in judge(evidence)[2]]


def only(evidence: CaseEvidence) -> Finding:
    """The one finding that there is."""
    status, reasons, findings = judge(evidence)
    [finding] = findings
    assert (status, reasons) == ("suspect", (finding.evidence,))
    assert finding.advice
    return finding
