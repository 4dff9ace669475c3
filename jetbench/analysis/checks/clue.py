"""What a check returns, and what all checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jetbench.domain.evidence import CaseEvidence, TrialEvidence
    from jetbench.domain.finding import CheckName, Finding
    from jetbench.domain.timing import ParsedLog


@dataclass(frozen=True, slots=True)
class Clue:
    """A finding, and whose times it explains.

    A cause that is named is not named twice: checks of the times themselves leave out the
    trials that an earlier clue explains.
    """

    finding: Finding
    explains: frozenset[int] = frozenset()
    """Places of trials in the case, from 0."""


Check = Callable[["CaseEvidence", Sequence[Clue]], Iterator[Clue]]
"""Takes the evidence and all clues of the checks before it."""


@dataclass(frozen=True, slots=True)
class Good:
    """A trial that came to a good end."""

    place: int
    """In the case, from 0."""
    trial: TrialEvidence
    log: ParsedLog


def good_trials(evidence: CaseEvidence, without: frozenset[int] = frozenset()) -> list[Good]:
    """The trials with a number, in the order in which they ran, but for those places."""
    return [
        Good(place, trial, trial.log)
        for place, trial in enumerate(evidence.trials)
        if trial.log is not None and trial.result.failure is None and place not in without
    ]


def forward_times(
    evidence: CaseEvidence, without: frozenset[int] = frozenset()
) -> list[tuple[int, float]]:
    """Place and forward time in ms of each trial that has one, but for those places."""
    return [
        (good.place, good.log.forward_ms)
        for good in good_trials(evidence, without)
        if good.log.forward_ms is not None and good.log.forward_ms > 0
    ]


def explained(clues: Sequence[Clue], *names: CheckName) -> frozenset[int]:
    """The places of all trials that these checks explain; without names: that any does."""
    return frozenset[int]().union(
        *(clue.explains for clue in clues if not names or clue.finding.check in names)
    )


def trials_text(places: Sequence[int] | frozenset[int], evidence: CaseEvidence) -> str:
    """``trial 3 of 6``, ``trials 3 to 6 of 6``, ``trials 1, 2 and 5 of 6``.

    Args:
        places: At least one, from 0.
        evidence: The case, for how many there are.
    """
    numbers = sorted(place + 1 for place in places)
    total = len(evidence.trials)
    if len(numbers) == 1:
        return f"trial {numbers[0]} of {total}"
    first, last = numbers[0], numbers[-1]
    if len(numbers) > 2 and last - first == len(numbers) - 1:  # noqa: PLR2004 - two: "1 and 2"
        return f"trials {first} to {last} of {total}"
    return f"trials {', '.join(map(str, numbers[:-1]))} and {last} of {total}"


def percent(share: float) -> str:
    """A share as a percentage with two digits: ``6.2 %``, ``13 %``."""
    # To whole per cent from 9.95 on, where two digits would say 10.
    return f"{share:.0%}".replace("%", " %") if abs(share) >= 0.0995 else f"{share * 100:.2g} %"  # noqa: PLR2004
