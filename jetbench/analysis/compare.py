"""Two sets of records, case by case: which became slower, and which cannot be compared.

The sample is the process, as everywhere. The ratio is that of the mean forward times, B over
A, so that 1.05 is 5 % slower; its interval is the one of `speed.relative_speed`.

A case is slower (or faster) where all three hold:

- the ratio is more than `THRESHOLD` from 1: less does not matter in practice;
- Welch's test on the logarithms of the times has p < `SIGNIFICANCE`: it is no accident of the
  few processes;
- the ratio's logarithm is more than `NOISE_FACTOR` standard errors from 0, by the noise that is
  usual in the two sweeps: the median over the cases of the spread between processes, or that
  over the cases of the same board where it is larger. Three processes can be close together by
  accident, and then a test that knows them alone is too sure.

Where the first holds and another does not, or where the interval is so wide (over
`MOST_HALF_WIDTH` to a side) that a large difference could hide in it, there were too few
processes to tell: neither "slower" nor "same" would be true.

Measured by simulation, 24,000 cases a cell, in sweeps of four models on three boards, as many
processes on either side, normal noise of the processes with this standard deviation; a false
alarm is any "slower" or "faster" of two samples of the same thing (``benchmarks/bench_null.py
--tables`` prints this):

=========  =====  =============  ==========  ===========
processes  noise  false alarms   5 % slower  10 % slower
=========  =====  =============  ==========  ===========
3          0.5 %  0.00 in 1,000  99.8 %      100.0 %
5          0.5 %  0.00 in 1,000  100.0 %     100.0 %
10         0.5 %  0.00 in 1,000  100.0 %     100.0 %
3          1.0 %  0.12 in 1,000  79.5 %      99.8 %
5          1.0 %  0.00 in 1,000  99.9 %      100.0 %
10         1.0 %  0.00 in 1,000  100.0 %     100.0 %
3          2.0 %  0.75 in 1,000  18.1 %      77.8 %
5          2.0 %  1.08 in 1,000  59.6 %      99.9 %
10         2.0 %  0.25 in 1,000  97.0 %      100.0 %
3          5.0 %  0.83 in 1,000  0.9 %       7.9 %
5          5.0 %  1.08 in 1,000  2.8 %       29.7 %
10         5.0 %  0.33 in 1,000  9.3 %       76.0 %
=========  =====  =============  ==========  ===========

With 2 % noise three processes are too few for a gate that is to find 5 %. A comparison of a
single case knows no usual noise but its own: there the false alarms at 2 % and more come up to
what `SIGNIFICANCE` allows.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from jetbench.analysis.comparable import changed_provenance, differences, key_of
from jetbench.analysis.difference import carriers
from jetbench.analysis.speed import relative_speed, welch_p

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Sequence

    from jetbench.analysis.comparable import Difference
    from jetbench.analysis.difference import LayerDifference
    from jetbench.analysis.speed import RelativeSpeed
    from jetbench.domain.record import Record, Summary

Verdict = Literal["slower", "faster", "same", "too few", "not comparable", "not measured"]

THRESHOLD = 0.03
"""The least difference that matters, as a part of the time."""
SIGNIFICANCE = 0.02
"""Of Welch's test, two-sided."""
NOISE_FACTOR = 3.5
"""Standard errors by the noise that is usual in the sweeps."""
MOST_HALF_WIDTH = 0.10
"""Of the ratio's 95 % interval, as a part of the ratio: wider ones cannot tell."""
COMPARED: frozenset[Verdict] = frozenset({"slower", "faster", "same"})
"""The verdicts that say something about the speed."""


@dataclass(frozen=True, slots=True)
class CaseComparison:
    """One case that is in both sets."""

    a: Record
    """As it was before."""
    b: Record
    """As it is now."""
    verdict: Verdict
    """What can be said of it."""
    why: tuple[str, ...] = ()
    """Why there is no other verdict; empty where the numbers say it."""
    speed: RelativeSpeed | None = None
    """The time of B over that of A; None where it has no uncertainty."""
    p_value: float | None = None
    """Of Welch's test, two-sided."""
    differences: tuple[Difference, ...] = ()
    """The parts of the key that forbid the comparison."""
    changed: tuple[Difference, ...] = ()
    """What else is not the same, and may explain the verdict."""

    @property
    def layers(self) -> tuple[LayerDifference, ...]:
        """Those that carry it, where it is slower or faster."""
        return carriers(self.a, self.b) if self.verdict in {"slower", "faster"} else ()

    @property
    def suspect(self) -> bool:
        """Whether either number is in doubt, so that the verdict is."""
        return "suspect" in {self.a.status, self.b.status}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sets of records, case by case."""

    cases: tuple[CaseComparison, ...]
    """Each case that both have."""
    only_a: tuple[Record, ...]
    """The cases that only A has."""
    only_b: tuple[Record, ...]
    """The cases that only B has."""

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many cases have which verdict; only those verdicts that there are."""
        return dict(Counter(case.verdict for case in self.cases))

    @property
    def geometric_mean(self) -> float | None:
        """Of the ratios of all cases that were compared; None where there is none."""
        logs = [
            math.log(case.speed.ratio)
            for case in self.cases
            if case.verdict in COMPARED and case.speed is not None
        ]
        return math.exp(math.fsum(logs) / len(logs)) if logs else None

    @property
    def slower(self) -> bool:
        """Whether anything is."""
        return any(case.verdict == "slower" for case in self.cases)

    @property
    def compared(self) -> bool:
        """Whether there is a verdict on the speed of anything."""
        return any(case.verdict in COMPARED for case in self.cases)


def compare(a: Sequence[Record], b: Sequence[Record]) -> Comparison:
    """Hold the records of B against those of A.

    Records with equal keys and names belong together, then those with equal keys, then those of
    the same model whose keys differ least: they are not comparable, and it is said why.
    """
    left_a, left_b, pairs = list(a), list(b), []
    for same in _SAME:
        found, left_a, left_b = _matched(left_a, left_b, same)
        pairs += found
    common = {record.board for record in a} & {record.board for record in b}
    nearest, left_a, left_b = _nearest(left_a, left_b, common)
    order = {id(record): place for place, record in enumerate(a)}
    pairs = sorted([*pairs, *nearest], key=lambda pair: order[id(pair[0])])
    noise = _Noise(pairs)
    return Comparison(
        cases=tuple(compare_case(one, other, noise.on(one.board)) for one, other in pairs),
        only_a=tuple(left_a),
        only_b=tuple(left_b),
    )


class _Noise:
    """The spread between processes that is usual in two sweeps, as a part of the time."""

    def __init__(self, pairs: Iterable[tuple[Record, Record]]) -> None:
        spreads: dict[str, list[float]] = {}
        for a, b in pairs:
            spread = _spread(a.forward_ms, b.forward_ms)
            if spread is not None and not differences(a, b):
                spreads.setdefault(a.board, []).append(spread)
        self._boards = {board: statistics.median(known) for board, known in spreads.items()}
        known = [spread for each in spreads.values() for spread in each]
        self._all = statistics.median(known) if known else 0.0

    def on(self, board: str) -> float:
        """On a board that may be noisier than the others."""
        return max(self._all, self._boards.get(board, 0.0))


def _spread(a: Summary | None, b: Summary | None) -> float | None:
    """The spread of both samples, each about its own mean, as a part of it."""
    if a is None or b is None or a.spread is None or b.spread is None:
        return None
    squares = a.spread**2 * (a.n - 1) + b.spread**2 * (b.n - 1)
    return math.sqrt(squares / (a.n + b.n - 2))


def compare_case(a: Record, b: Record, noise: float = 0.0) -> CaseComparison:
    """The verdict on one case.

    Args:
        a: Its record in the first set.
        b: Its record in the second one.
        noise: The spread between processes that is usual in these sweeps, as a part of the time.
    """
    bare = CaseComparison(a, b, "not measured", changed=changed_provenance(a, b))
    if why := (*_not_measured(a, "A"), *_not_measured(b, "B")):
        return replace(bare, why=why)
    if forbidden := differences(a, b):
        why = tuple(difference.text for difference in forbidden)
        return replace(bare, verdict="not comparable", why=why, differences=forbidden)
    if a.forward_ms is None or b.forward_ms is None:  # for the types: it was asked above
        return bare
    return _judged(bare, a.forward_ms, b.forward_ms, noise)


def _judged(case: CaseComparison, a: Summary, b: Summary, noise: float) -> CaseComparison:
    """The verdict on two numbers that may be compared."""
    alone = tuple(
        f"a single process in {side}" for side, times in (("A", a), ("B", b)) if times.n == 1
    )
    if alone:
        return replace(case, verdict="too few", why=alone)
    speed, p_value = relative_speed(a, b), welch_p(a, b)
    if speed is None or p_value is None or speed.ratio <= 0:
        return replace(case, why=("a time that is 0",))
    case = replace(case, speed=speed, p_value=p_value)
    if abs(speed.ratio - 1) > THRESHOLD:
        usual = noise * math.sqrt(1 / a.n + 1 / b.n)
        if p_value < SIGNIFICANCE and abs(math.log(speed.ratio)) > NOISE_FACTOR * usual:
            return replace(case, verdict="slower" if speed.ratio > 1 else "faster")
        why = f"{a.n} and {b.n} processes spread too much to be sure of {_percent(speed)}"
        return replace(case, verdict="too few", why=(why,))
    if speed.half_width > MOST_HALF_WIDTH * speed.ratio:
        why = (
            f"{a.n} and {b.n} processes spread so much that more than "
            f"{100 * MOST_HALF_WIDTH:.0f} % could hide in it"
        )
        return replace(case, verdict="too few", why=(why,))
    return replace(case, verdict="same")


def _percent(speed: RelativeSpeed) -> str:
    return f"{100 * (speed.ratio - 1):+.1f} %"


def _not_measured(record: Record, side: str) -> Iterator[str]:
    """Why a side has no number, if it has none."""
    if record.forward_ms is None or record.status in {"failed", "lost"}:
        reasons = "; ".join(record.reasons)
        yield f"{record.status} in {side}" + (f": {reasons}" if reasons else "")


_SAME: tuple[Callable[[Record], Hashable], ...] = (
    lambda record: (key_of(record), record.model),
    key_of,
)
"""What two records of one case share, the surest first."""


def _matched(
    a: list[Record], b: list[Record], same: Callable[[Record], Hashable]
) -> tuple[list[tuple[Record, Record]], list[Record], list[Record]]:
    """Pairs that share something, in the order in which they come, and what is left."""
    waiting: dict[Hashable, list[Record]] = {}
    for record in b:
        waiting.setdefault(same(record), []).append(record)
    pairs, left = [], []
    for record in a:
        if others := waiting.get(same(record)):
            pairs.append((record, others.pop(0)))
        else:
            left.append(record)
    return pairs, left, _without(b, (other for _, other in pairs))


def _nearest(
    a: list[Record], b: list[Record], common: Container[str]
) -> tuple[list[tuple[Record, Record]], list[Record], list[Record]]:
    """Pairs of the same model, those first whose keys differ least, and what is left.

    A record without a number does not know its power mode or its hash: that is no difference.
    Another board is a greater one than all others, and a board that is in both sets (`common`) is
    held against itself only.
    """
    by_model: dict[str, list[int]] = {}
    for place, record in enumerate(b):
        by_model.setdefault(record.model, []).append(place)
    distances = sorted(
        (_distance(record, b[there]), here, there)
        for here, record in enumerate(a)
        for there in by_model.get(record.model, ())
        if record.board == b[there].board
        or (record.board not in common and b[there].board not in common)
    )
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, here, there in distances:
        if here not in pairs and there not in taken:
            pairs[here] = there
            taken.add(there)
    return (
        [(a[here], b[there]) for here, there in pairs.items()],
        [record for place, record in enumerate(a) if place not in pairs],
        [record for place, record in enumerate(b) if place not in taken],
    )


def _distance(a: Record, b: Record) -> tuple[bool, bool, int]:
    known = sum("unknown" not in {one.a, one.b} for one in differences(a, b))
    return a.board != b.board, a.batch != b.batch, known


def _without(records: Iterable[Record], gone: Iterable[Record]) -> list[Record]:
    out = {id(record) for record in gone}
    return [record for record in records if id(record) not in out]
