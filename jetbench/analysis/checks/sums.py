"""Can the number be true at all? It is held against the board's peaks and its own layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.analysis.checks.clue import Clue, explained, good_trials, trials_text
from jetbench.domain.finding import Finding
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.domain.evidence import CaseEvidence
    from jetbench.domain.timing import ParsedLog

LAYERS_SHARE = 0.05
"""Of the forward time. Whole logs on x86 differ by 0.3 % at most, and by more only for the
time between the layers, which is allowed for by `BETWEEN_LAYERS_MS`."""
LAYERS_MS = 0.5
"""Differences below it are those of rounding and of the timers."""
BETWEEN_LAYERS_MS = 0.1
"""What a layer may add to the whole and not to the sum: to read one timer and to start the
next, with a wait for the GPU between the two. An x86 takes 0.007 ms for it (127 layers of a
MobileNet: 5.82 of 6.66 ms); a TX2's cores are several times slower, and starting a layer there
takes some 0.07 ms in all."""


def bound(evidence: CaseEvidence, clues: Sequence[Clue]) -> Iterator[Clue]:
    """No forward time is below the one that the board's peaks allow.

    A wrong batch or phase explains that, too, and so does a clock that was set.
    """
    floor_ms = evidence.floor_ms
    if floor_ms is None:
        return
    below = {
        good.place: good.log.forward_ms
        for good in good_trials(evidence, explained(clues, "batch", "phase", "clock"))
        if good.log.forward_ms and good.log.forward_ms < floor_ms
    }
    if below:
        whose = f"the peaks of {evidence.mode_name}" if evidence.mode_name else "the board's peaks"
        text = (
            f"forward took {min(below.values()):.4g} ms, "
            f"and {whose} allow {floor_ms:.4g} ms at best"
        )
        advice = "do not use this number; look at the raw log: which net was run, on which device"
        yield Clue(Finding("bound", text, advice), frozenset(below))


def layers(evidence: CaseEvidence, clues: Sequence[Clue]) -> Iterator[Clue]:
    """The forward times of the layers add up to that of the whole, and none is below 0.

    A time that is too short for the board does not fit its layers either, nor does one by a clock
    that was set.
    """
    found: dict[int, str] = {}
    for good in good_trials(evidence, explained(clues, "bound", "clock")):
        if (text := _wrong_sum(good.log)) is not None:
            found[good.place] = text
    if found:
        where = trials_text(frozenset(found), evidence)
        text = f"{where}: {next(iter(found.values()))}"
        advice = "believe neither; the board's clock may jump (boards check), so measure again"
        yield Clue(Finding("layers", text, advice))


def _wrong_sum(log: ParsedLog) -> str | None:
    """What is wrong with the layers of one log."""
    for layer in log.layers:
        for what, time_ms in (("forward", layer.forward_ms), ("backward", layer.backward_ms)):
            if time_ms is not None and time_ms < 0:
                return f"layer {printable(layer.name)} took {time_ms:.4g} ms {what}"
    whole_ms = log.forward_ms
    known = [layer.forward_ms for layer in log.layers if layer.forward_ms is not None]
    if whole_ms is None or not known:
        return None
    sum_ms = sum(known)
    margin_ms = max(LAYERS_SHARE * whole_ms, LAYERS_MS)
    if sum_ms - whole_ms > margin_ms:
        return f"the layers add up to {sum_ms:.4g} ms, forward took {whole_ms:.4g} ms"
    # Excerpts lack layers; minima of layers add up to less than the minimum of the whole.
    if len(known) < len(log.layers) or not log.input_shapes or log.statistic != "average":
        return None
    if whole_ms - sum_ms > margin_ms + BETWEEN_LAYERS_MS * len(known):
        return f"the layers add up to {sum_ms:.4g} ms only, forward took {whole_ms:.4g} ms"
    return None
