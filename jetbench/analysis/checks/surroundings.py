"""Was the board cool, and alone? Heat at the start, neighbours, and memory that was swapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.analysis.checks.clue import Clue, good_trials, percent, trials_text
from jetbench.domain.finding import Finding
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.domain.evidence import CaseEvidence

GPU_LOAD = 0.05
"""Of an idle GPU. An idle desktop draws some frames; what computes loads it by tens of per
cent."""
CPU_SHARE = 0.05
"""Of all cores, taken by others while the CPU measures: what a case may spread."""
CPU_SHARE_GPU = 0.5
"""The same while the GPU measures. Caffe needs one core then, so others disturb it only where
few are left."""
SWAPPED_PAGES = 256
"""1 MiB of 4 KiB pages, which a TX2's eMMC moves in some 10 ms: below 1 % of a trial of
seconds. A pass that needs what was swapped out needs many times more."""
_PAGE_MIB = 4 / 1024

_DESKTOP = frozenset({
    "Xorg", "Xwayland", "chromium-browse", "compiz", "gnome-shell", "lightdm", "lxpanel",
    "metacity", "nautilus", "unity-greeter", "unity-panel-ser", "unity-settings-",
})  # fmt: skip
"""Have the GPU open on every board with a desktop, as the kernel cuts their names."""


def heat(evidence: CaseEvidence, _: Sequence[Clue]) -> Iterator[Clue]:
    """The GPU was no warmer than asked for when each trial began."""
    hot = {
        good.place: cooling
        for good in good_trials(evidence)
        if (cooling := good.trial.cooling) is not None and not cooling.reached
    }
    if not hot:
        return
    limit_c = min(cooling.limit_c for cooling in hot.values())
    waited_s = max(cooling.waited_s for cooling in hot.values())
    known = [cooling.gpu_temp_c for cooling in hot.values() if cooling.gpu_temp_c is not None]
    began = f"began with the GPU at {max(known):.3g} °C" if known else "began with a warm GPU"
    text = (
        f"{trials_text(frozenset(hot), evidence)} {began}, "
        f"above the {limit_c:.3g} °C of --cooldown, after a wait of {waited_s:.0f} s"
    )
    advice = "give the board air or a fan, or ask for a temperature it reaches with --cooldown C"
    yield Clue(Finding("heat", text, advice), frozenset(hot))


def swapped(evidence: CaseEvidence, _: Sequence[Clue]) -> Iterator[Clue]:
    """No memory went to or came from the swap while a trial ran."""
    found = {
        good.place: usage.swapped_pages
        for good in good_trials(evidence)
        if (usage := good.trial.usage) is not None
        and usage.swapped_pages is not None
        and usage.swapped_pages > SWAPPED_PAGES
    }
    if found:
        most_mib = max(found.values()) * _PAGE_MIB
        text = f"{trials_text(frozenset(found), evidence)}: {most_mib:.3g} MiB were swapped"
        advice = "end what uses memory there (boards check), or measure a smaller --batch"
        yield Clue(Finding("swapped", text, advice), frozenset(found))


def neighbour(evidence: CaseEvidence, _: Sequence[Clue]) -> Iterator[Clue]:
    """Nothing else computes on the GPU before the case, or on the CPU while it runs.

    One finding for both: who computes on the GPU needs the CPU, too.
    """
    trials = good_trials(evidence)
    limit = CPU_SHARE if evidence.gpu is None else CPU_SHARE_GPU
    shares = {
        good.place: share
        for good in trials
        if (usage := good.trial.usage) is not None
        and (share := usage.others_share) is not None
        and share > limit
    }
    parts, places = [], frozenset(shares)
    load = evidence.idle.gpu_load_mean if evidence.idle is not None else None
    if evidence.gpu is not None and trials and load is not None and load > GPU_LOAD:
        # It was there before the first trial, and nothing says that it has gone.
        places = frozenset(good.place for good in trials)
        names = [user for user in evidence.gpu_users if user.partition(":")[2] not in _DESKTOP]
        who = f" ({printable(', '.join(names))} had it open)" if names else ""
        parts.append(f"the GPU was {percent(load)} busy before the first trial{who}")
    if shares:
        where = trials_text(frozenset(shares), evidence)
        parts.append(f"{where}: other processes took {percent(max(shares.values()))} of the CPU")
    if parts:
        advice = "end what else computes there (boards check names what has the GPU open)"
        yield Clue(Finding("neighbour", "; ".join(parts), advice), places)
