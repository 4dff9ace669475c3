"""Was that measured which was asked for? What each log says of itself decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.analysis.checks.clue import Clue, good_trials
from jetbench.domain.finding import Finding
from jetbench.formats.words import shapes_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jetbench.domain.evidence import CaseEvidence
    from jetbench.domain.finding import CheckName
    from jetbench.domain.timing import ParsedLog

_SILENT = "the log does not say which input shapes were run"


def batch(evidence: CaseEvidence, _: Sequence[Clue]) -> Iterator[Clue]:
    """The input shapes are those of the net that was sent."""
    prototxt = evidence.case.prototxt
    asked = prototxt.input_shapes if prototxt else ()

    def unlike(log: ParsedLog) -> str | None:
        if not log.input_shapes:
            return _SILENT
        if set(asked) <= set(log.input_shapes):
            return None
        return f"the log says {shapes_text(log.input_shapes)}, asked was {shapes_text(asked)}"

    for text, places in _by_text(evidence, unlike):
        if text == _SILENT:
            # Nothing is known, so it explains nothing either.
            advice = "look at the raw log (jetbench results log): it is cut, or of another program"
            yield _clue("batch", text, advice)
        else:
            advice = (
                "do not use this number; see what the net makes of its inputs (jetbench patch)"
            )
            yield _clue("batch", text, advice, places)


def phase(evidence: CaseEvidence, _: Sequence[Clue]) -> Iterator[Clue]:
    """The phase is the one that was asked for."""

    def unlike(log: ParsedLog) -> str | None:
        if log.phase is None or log.phase == evidence.options.phase:
            return None
        return f"the log says phase {log.phase}, not {evidence.options.phase}"

    advice = (
        "take a Caffe that knows -phase (boards check says which it is), or ask for that phase"
    )
    for text, places in _by_text(evidence, unlike):
        yield _clue("phase", text, advice, places)


def iterations(evidence: CaseEvidence, _: Sequence[Clue]) -> Iterator[Clue]:
    """The number of iterations is the one that was asked for."""

    def unlike(log: ParsedLog) -> str | None:
        if log.iterations is None or log.iterations == evidence.options.iterations:
            return None
        return f"the log says {log.iterations} iterations"

    asked = evidence.options.iterations
    advice = f"asked were {asked}: see whether the board's caffe is a script that sets its own"
    for text, places in _by_text(evidence, unlike):
        yield _clue("iterations", text, advice, places)


def _by_text(
    evidence: CaseEvidence, unlike: Callable[[ParsedLog], str | None]
) -> list[tuple[str, frozenset[int]]]:
    """Each thing that is wrong once, with the places of the trials that have it."""
    found: dict[str, set[int]] = {}
    for good in good_trials(evidence):
        if (text := unlike(good.log)) is not None:
            found.setdefault(text, set()).add(good.place)
    return [(text, frozenset(places)) for text, places in found.items()]


def _clue(
    check: CheckName, evidence: str, advice: str, places: frozenset[int] = frozenset()
) -> Clue:
    return Clue(Finding(check, evidence, advice), places)
